// Columns by whose values a target's rows are what they are: a filter, `where` or `sample` chooses the rows by them,
// an expression or a transform computes others from them.
#pragma once

#include <string>

#include "rules/rule.h"
#include "stream/definition/table_definition.h"

namespace pgsluice::rules {

// Why a target cannot follow a change of the source's table, whose rows are not copied again: those that are there
// would have to be chosen or computed again, because such a column has another type, or was dropped and another one
// has its name. Empty: it can. `rewritten`: the command has written the rows again.
[[nodiscard]] std::string judged_again(const Route* route, const TableRules& rules, const TableDefinition& was,
                                       const TableDefinition& now, bool rewritten);

}  // namespace pgsluice::rules
