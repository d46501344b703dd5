// A route that lists its columns (`columns: {only: [...]}`), as rules: to keep those that it lists and to exclude the
// table's others. So all that holds for excluded columns holds for these.
#pragma once

#include "rules/rule.h"

namespace pgsluice::rules {

// What holds for the relation: the rules of its entry (null: none) and the list of its route (null: none).
TableRules with_listed(const TableRules* entry, const Route* route, const Relation& relation);

}  // namespace pgsluice::rules
