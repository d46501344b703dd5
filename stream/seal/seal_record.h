// The KV key `sealed` (FORMAT.md, "Sealed streams"): since when a group's stream is sealed, and by what.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stream/position.h"

namespace pgsluice {

struct SealRecord {
    static constexpr const char* key = "sealed";

    // From a sequence on, messages are of this run of the stream: a random name, so that a message of a stream that
    // was deleted is not taken for one of its successor.
    struct Run {
        std::string id;
        StreamSeq from;

        bool operator==(const Run&) const = default;
    };

    std::vector<std::string> keys;  // ids of all keys that sealed it
    std::vector<Run> runs;          // in order; at least one

    // Null below the first.
    [[nodiscard]] const Run* run_of(StreamSeq seq) const noexcept;
    [[nodiscard]] bool knows_key(std::string_view id) const noexcept;
    // A new run from here on; those that it replaces are forgotten.
    void begin_run(StreamSeq from);

    bool operator==(const SealRecord&) const = default;
};

std::string encode(const SealRecord& record);
// A stop Error when it is malformed.
SealRecord decode_seal_record(std::string_view json);

}  // namespace pgsluice
