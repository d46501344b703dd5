// How far a worker is with a direct snapshot (format/direct_plan.h): the KV key `direct` (FORMAT.md, "Keys"). The
// worker that writes it first loads that snapshot, and no other does; the replicator reads it, and ends the snapshot
// once all is loaded.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sql/lsn.h"
#include "stream/broker.h"
#include "stream/names.h"

namespace pgsluice {

struct DirectCopy {
    struct Table {
        std::uint32_t ranges = 0;
        std::uint64_t pages = 0;
        std::uint64_t rows = 0;   // read from the source
        std::uint64_t bytes = 0;  // of COPY text

        bool operator==(const Table&) const = default;
    };
    std::uint64_t epoch = 0;
    Lsn consistent_point;
    std::string worker;
    bool loaded = false;                    // all of it, and no crash of the target takes it back
    std::map<std::uint32_t, Table> tables;  // by their number in the snapshot: what is committed; others have nothing
    std::uint64_t revision = 0;             // of the key; 0: it does not exist

    [[nodiscard]] bool is_of(std::uint64_t other_epoch, Lsn point) const {
        return epoch == other_epoch && consistent_point == point;
    }
    bool operator==(const DirectCopy&) const = default;
};

std::string encode(const DirectCopy& copy);
// Without the revision. A stop Error when it is malformed.
DirectCopy decode_direct_copy(std::string_view json);

// Nothing when there never was one. What cannot be read is of no snapshot.
std::optional<DirectCopy> find_direct_copy(Broker& broker, const Names& names);
// Writes it over its revision, which becomes the new one. False when another has written meanwhile.
bool try_record_direct_copy(Broker& broker, const Names& names, DirectCopy& copy);

}  // namespace pgsluice
