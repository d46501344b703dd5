// Changes as lines of JSON, one object a line: what the stdout, file, webhook and nats sinks write.
//
// What never changes between the rows of a table (names, key, the column names with their quotes) is rendered once per
// relation version, what never changes between the rows of a transaction once per transaction. A row then costs copies
// into the caller's buffer and no allocation once that has grown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sinks/options.h"
#include "stream/change.h"
#include "stream/message.h"

namespace pgsluice {

class LineEncoder {
   public:
    virtual ~LineEncoder() = default;

    // The source database's name, for the formats that tell it.
    virtual void set_database(std::string_view /*name*/) {}
    // The time the lines say they were written; to be told once per batch. Microseconds since 1970-01-01 UTC.
    virtual void set_time(std::int64_t unix_us) = 0;
    // Appends the change and a newline: one line, for a truncate one per table, for a message that is not DDL none.
    // Returns the number of lines. Relations are known by address (stream/change.h).
    virtual std::size_t append(std::string& out, const Change& change) = 0;
    // Appends the line that says that epoch `begin.epoch` starts, and that the rows of `tables` with Snapshot true from
    // earlier epochs are void (of all tables, unless `begin.added`). Null tables are left out.
    virtual void append_snapshot_begin(std::string& out, const SnapshotBegin& begin,
                                       const std::vector<RelationPtr>& tables) = 0;
};

// `name` is how the lines name their origin where the format has a place for it: the group. `share` ("2/4") is
// named by what every share of the rows sends for itself: DDL and the begin of a copy; truncates name theirs.
std::unique_ptr<LineEncoder> make_line_encoder(LineFormat format, const std::string& name,
                                               const std::string& share = {});

}  // namespace pgsluice
