// Whether rules, which refer to columns by name, still hold for a table's new definition.
#pragma once

#include "rules/rule.h"
#include "stream/group/schema_history.h"

namespace pgsluice::rules {

// A stop Error when a column that had a rule has another name now, unless a rule was written for it under that name; or
// when a filter's order has become that of another type. `before` is the definition that was in force before `now`, and
// `ruled` its columns that had a rule other than keep.
//
// By the columns' numbers that is exact, and a rule that was there already under the name counts only when it says
// `was`. Where the numbers are not known, names must do: an added column comes after all others, and a dropped one
// leaves the order of the rest. So a renamed column shows by the columns before it, unless it took the name of a
// dropped one, or swapped names with another that has a rule.
void check_redefined(const PastDefinition& before, const Relation& now, const TableRules& rules,
                     const std::vector<std::string>& ruled);

// The same for a table's first rows: `known` is the definition that the files were checked against, which may be of a
// later time than the rows. A column that has a rule there must not come under a name that has none.
void check_known(const Relation& known, const Relation& now, const TableRules& rules,
                 const std::vector<std::string>& ruled);

// The same for a partition that was not met before, by the definition of another one of the same table: a column that
// is new and comes before one with a rule was not added to the table, because added ones come last.
void check_partition(const PastDefinition& sibling, const Relation& now, const TableRules& rules);

}  // namespace pgsluice::rules
