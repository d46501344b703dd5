// The foreign keys that a DDL message's definitions say.
#pragma once

#include "rules/keys/inherited_rules.h"
#include "stream/definition/definition_message.h"

namespace pgsluice::rules {

// Of tables as they are after the command. Whether both columns are of one type is not told: it counts as true.
ForeignKeys told_keys(const DefinitionMessage& message);

}  // namespace pgsluice::rules
