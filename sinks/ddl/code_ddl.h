// Views, functions, triggers, policies and rights: commands for a target from their definitions before and after.
#pragma once

#include "sinks/ddl/phases.h"
#include "stream/definition/definition_message.h"

namespace pgsluice {

// All views that a command drops, in one command: they may depend on one another.
void drop_views(const DefinitionMessage& message, DdlPhases& out);
// The others: of a command that creates or alters them.
void derive_view(const ViewDefinition* before, const ViewDefinition* after, DdlPhases& out);
void derive_function(const FunctionDefinition* before, const FunctionDefinition* after, DdlPhases& out);
void derive_trigger(const TriggerDefinition* before, const TriggerDefinition* after, DdlPhases& out);
void derive_policy(const PolicyDefinition* before, const PolicyDefinition* after, DdlPhases& out);

void derive_grants(const GrantsDefinition* before, const GrantsDefinition* after, DdlPhases& out);

}  // namespace pgsluice
