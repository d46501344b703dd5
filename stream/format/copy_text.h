// COPY text format (manual, COPY, "Text Format"): rows to values and back.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "stream/base/arena.h"
#include "stream/change.h"

namespace pgsluice {

// Cuts the next line (without its newline) off `text`; newlines inside values are escaped, so a line is a row.
std::string_view take_copy_line(std::string_view& text);
// Splits a line into `columns` values. Values without a backslash are views into the line, others are unescaped into
// the arena. A stop Error when the number of columns differs. A table without columns has empty lines.
std::span<const Value> parse_copy_line(std::string_view line, std::size_t columns, Arena& arena);
// Appends a row and its newline; std::logic_error for an unchanged value.
void append_copy_line(std::string& out, Row row);

}  // namespace pgsluice
