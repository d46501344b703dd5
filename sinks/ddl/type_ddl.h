// The commands for enums, composite types, domains and ranges.
#pragma once

#include "sinks/ddl/phases.h"
#include "stream/definition/definition_message.h"

namespace pgsluice {

void derive_type(const TypeDefinition* before, const TypeDefinition* after, DdlPhases& out);

}  // namespace pgsluice
