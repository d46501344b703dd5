// Where pgsluice keeps tables of its own, on the source and on a PostgreSQL target. No table there is replicated, and
// no row is written there for a table of the source: checkpoints are there, and what workers noted.
#pragma once

#include <string_view>

namespace pgsluice {

inline constexpr std::string_view own_schema = "pgsluice";
// Where dead letters that were applied are marked, by rows that a replay adds to theirs.
inline constexpr std::string_view own_marks = "parked";
inline constexpr std::string_view own_schema_reason = "schema 'pgsluice' is for tables of pgsluice itself";

}  // namespace pgsluice
