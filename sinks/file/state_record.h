// A sink's state as a line of text: what the stdout and file sinks keep on disk.
//
//     pgsluice-state 1 group=shop resume_seq=12 position=0/16B2D50:3 loading_epoch=0 begin_seq=0 ... sum=<16 hex
//     digits>
//
// `sum` is FNV-1a over all before it and tells a torn line from a whole one. A sink may add fields of its own; neither
// names nor values hold white space or '='.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sinks/sink.h"

namespace pgsluice {

// The own field of sinks that remember which stream their state comes from.
inline constexpr const char* stream_field = "stream";
// And of those whose state is of a share of the rows: "2/4". Empty: of all.
inline constexpr const char* share_field = "share";

struct StateRecord {
    std::string group;
    SinkState state;
    std::map<std::string, std::string> more;  // the sink's own fields

    // The own field as a number; 0 when it is missing or none.
    [[nodiscard]] std::uint64_t number(const std::string& name) const;
    [[nodiscard]] std::string text(const std::string& name) const;
};

// A stop Error when what is at `path` is of another share than `own`: its position says nothing of other rows.
void check_share(const std::string& kept, const std::string& own, const std::string& path, const std::string& hint);

// Ends with a newline.
std::string to_text(const StateRecord& record);
// Nothing unless `text` begins with a whole, untorn record.
std::optional<StateRecord> parse_state(std::string_view text);

}  // namespace pgsluice
