// A line of the file sink, or an object posted by the webhook sink, read back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stream/position.h"
#include "tests/crash/source_log.h"

namespace pgsluice::test {

struct Line {
    Position position;
    bool snapshot = false;
    CommittedChange change;  // xid 0 for a row of the snapshot
    // Table and key of the row, before and after; the table alone where rows have no key, nothing for TRUNCATE.
    std::vector<std::string> rows;
};

// Throws std::runtime_error when the text is not one valid JSON object, or lacks a field.
Line parse_line(std::string_view text);
// The objects of an array, or the one object.
std::vector<Line> parse_objects(std::string_view text);

}  // namespace pgsluice::test
