// What a route's constants and mode make of definitions: columns are added, keys are told apart by them, and where
// every version of a row stays there are no keys of the rows themselves.
#pragma once

#include <string>
#include <vector>

#include "rules/ddl/definitions.h"

namespace pgsluice::rules {

// Whether the target's table is more than a copy under another name.
[[nodiscard]] bool is_kept_otherwise(const Route* route);

// `keeping` is the route's for the table. Of its foreign keys, those that refer to others are left to
// keep_reference().
void keep_table_as(TableDefinition& table, const Route& route, const Keeping& keeping);
// A foreign key, in a table whose keeping is `from`, to one whose keeping is `to`; null: a plain copy. False where it
// cannot be on the target.
[[nodiscard]] bool keep_reference(std::string& definition, const Route* from, const Route* to);
void keep_index_as(DefinitionChange& change, IndexDefinition& index, const Route& route);
// What a command that drops, empties or alters the table may do; nothing when it may do as it does.
void guard_kept_rows(DefinitionChange& change, const Route& route, const Keeping& keeping);

}  // namespace pgsluice::rules
