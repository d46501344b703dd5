// The commands for what tables lie in or use: schemas, extensions, sequences.
#pragma once

#include "sinks/ddl/phases.h"
#include "stream/definition/definition_message.h"

namespace pgsluice {

void derive_schema(const SchemaDefinition* before, const SchemaDefinition* after, DdlPhases& out);
void derive_extension(const ExtensionDefinition* before, const ExtensionDefinition* after, DdlPhases& out);
void derive_sequence(const SequenceDefinition* before, const SequenceDefinition* after, DdlPhases& out);

}  // namespace pgsluice
