// Which columns of a message's tables use its types, which rules ask about. Pure.
#pragma once

#include "stream/definition/definition_message.h"

namespace pgsluice {

// Sets DefinitionChange::used_by of each type, through arrays, domains and composite types.
void note_uses(DefinitionMessage& message);

}  // namespace pgsluice
