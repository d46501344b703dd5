// What the rules and routing files mean for the definitions of a DDL message: which of them a target is to have, and
// under what names.
#pragma once

#include <functional>
#include <vector>

#include "rules/rule.h"
#include "stream/definition/definition_message.h"

namespace pgsluice::rules {

// The rules as they hold for a definition of the table (TableMemory::fitted).
using Fitted = std::function<TableRules(const TableRules& rules, const Relation& table)>;

// Gives tables and columns the names of their routes; leaves out tables that are not replicated, excluded columns, and
// what else names them. A column with a transform loses its default and comment, and what its rows from before it hold
// goes through the transform; expressions that name it are left out, for they may hold its values. Where a target must
// not be given a definition, DefinitionChange::obstacle says why.
// False: nothing is left. A stop Error when a column or table that has rules or a route is now under a name that has
// none: rows would come unmasked under the new one.
bool apply_to_definitions(const RulesFile& file, const std::vector<Route>& routes, const Fitted& fitted,
                          DefinitionMessage& message);

}  // namespace pgsluice::rules
