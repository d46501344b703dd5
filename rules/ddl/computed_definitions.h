// The columns that a route computes, in definitions: a column of the source that an expression replaces is of the
// expression's type, and others are added after all of the source's.
#pragma once

#include <vector>

#include "rules/rule.h"
#include "stream/definition/definition_message.h"

namespace pgsluice::rules {

// Those of the route (null: none) for a table of the source. usage Error where an expression does not fit it.
[[nodiscard]] std::vector<ColumnDefinition> computed_columns(const Route* route, const Relation& table);
void replace_computed(TableDefinition& table, const std::vector<ColumnDefinition>& computed);
void append_computed(TableDefinition& table, const std::vector<ColumnDefinition>& computed);

}  // namespace pgsluice::rules
