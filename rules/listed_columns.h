// What a route says of columns, as rules. Where it lists its columns (`columns: {only: [...]}`), to keep those and to
// exclude the table's others: so all that holds for excluded columns holds for these. Where it has an expression, a
// filter without a condition on each column that it names, so that other columns of these names are noticed; and on
// each column of the table that an expression replaces, so that its values do not come under another name.
#pragma once

#include "rules/rule.h"

namespace pgsluice::rules {

// Whether the route (null: none) says anything of that.
inline bool has_listed(const Route* route) {
    return route != nullptr && (!route->only.empty() || !route->where.columns.empty() || !route->set.empty());
}
TableRules with_listed(const TableRules* entry, const Route* route, const Relation& relation);

}  // namespace pgsluice::rules
