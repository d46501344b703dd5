// What a table's new definition may do to its rules, which go by columns' names.
#pragma once

#include "rules/rule.h"

namespace pgsluice::rules {

// A stop Error when a column with a rule may have been given another name and its old name to another column, or when
// a filter's order has become that of another type. `before` is the table's definition that was met before `now`. A
// column that is added comes behind all others and one that is dropped leaves the order of the rest, so a column that
// was renamed shows by those it now stands behind, as long as it did not take the name of a dropped one.
void check_redefined(const Relation& before, const Relation& now, const TableRules& rules);

}  // namespace pgsluice::rules
