// The names in an expression or definition that PostgreSQL has printed.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace pgsluice::rules {

// Whether one of its identifiers is one of these.
bool names_any(std::string_view text, const std::set<std::string>& names);
// Whether one of its identifiers may name a column that is none of these: the name of a function, type or collation, a
// qualifier and what comes before the first parenthesis are no columns.
bool names_other(std::string_view text, const std::set<std::string>& columns);
// Whether it is about all columns of a row at once: t.*.
bool names_whole_row(std::string_view text);
// With other names for identifiers; strings stay.
std::string renamed(std::string_view text, const std::map<std::string, std::string>& names);

}  // namespace pgsluice::rules
