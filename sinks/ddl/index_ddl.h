// The commands for indexes and extended statistics.
#pragma once

#include "sinks/ddl/phases.h"
#include "sinks/ddl/table_ddl.h"
#include "stream/definition/definition_message.h"

namespace pgsluice {

void derive_index(const DefinitionMessage& message, const DefinitionChange& change, const TableDdl& tables,
                  DdlPhases& out);
void derive_statistics(const StatisticsDefinition* before, const StatisticsDefinition* after, const TableDdl& tables,
                       DdlPhases& out);

}  // namespace pgsluice
