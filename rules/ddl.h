// What the rules and routing files mean for a DDL command: whether it is passed on, how much of its text may show, and
// whether a target may run it.
#pragma once

#include <vector>

#include "rules/rule.h"
#include "stream/ddl_message.h"

namespace pgsluice::rules {

// Routes the tables it names, drops literals from its text when one of them has rules, and sets `obstacle`. False:
// all its tables are left out, and so is the command. A stop Error when it gives a table that has rules or a route a
// name that has none: rows would come unmasked under the new one.
bool apply_to_ddl(const RulesFile& file, const std::vector<Route>& routes, DdlMessage& message);

}  // namespace pgsluice::rules
