// The only place that turns names and texts into SQL.
#pragma once

#include <string>
#include <string_view>

namespace pgsluice::sql {

// "Order" for Order, "a""b" for a"b: always quoted, so that no list of reserved words is needed.
std::string quote_identifier(std::string_view name);
// "schema"."table".
std::string quote_qualified(std::string_view schema, std::string_view name);
// 'text', or E'...' when there is a backslash in it, so that it means the same with either setting of
// standard_conforming_strings.
std::string quote_literal(std::string_view text);
// "a\"b" for a"b: as an element of an array's text, or a key or value of an hstore's.
void append_quoted_element(std::string& out, std::string_view text);

}  // namespace pgsluice::sql
