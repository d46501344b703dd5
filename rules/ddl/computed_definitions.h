// The columns that a route computes, in definitions: a column of the source that an expression replaces is of the
// expression's type, and others are added after all of the source's.
#pragma once

#include <string>
#include <vector>

#include "rules/rule.h"
#include "stream/definition/definition_message.h"

namespace pgsluice::rules {

// Those of the route (null: none) for a table of the source. usage Error where an expression does not fit it.
[[nodiscard]] std::vector<ColumnDefinition> computed_columns(const Route* route, const Relation& table);
void replace_computed(TableDefinition& table, const std::vector<ColumnDefinition>& computed);
void append_computed(TableDefinition& table, const std::vector<ColumnDefinition>& computed);
// Why a target cannot follow a change from `was` (null: new) that has rewritten the rows: those that are there would
// have to be computed again, or transformed as others by a rule's `when`.
[[nodiscard]] std::string computed_again(const Route* route, const TableRules& rules, const TableDefinition* was,
                                         const Relation& now);

}  // namespace pgsluice::rules
