// What the rules and routing files mean for a DDL command: whether it is passed on, how much of its text may show, and
// whether a target may run it.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "rules/rule.h"
#include "stream/format/ddl_message.h"

namespace pgsluice::rules {

// Routes the tables it names, drops literals from its text when one of them has rules, and sets `obstacle`: also for a
// table that others are routed into, and in strict mode for what adds a column without a rule or computes values.
// False: all its tables are left out, and so is the command. A stop Error when it gives a table that has rules or a
// route a name that has none: rows would come unmasked under the new one.
// `above` gives the partitioned tables above a table of this name where the message does not; nothing when they are not
// known, and then the table may be a partition of any that has rules.
using Ancestors = std::function<std::optional<std::vector<QualifiedName>>(const QualifiedName& table)>;
bool apply_to_ddl(const RulesFile& file, const std::vector<Route>& routes, const Ancestors& above, DdlMessage& message);

}  // namespace pgsluice::rules
