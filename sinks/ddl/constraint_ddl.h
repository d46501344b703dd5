// The commands for a table's constraints; NOT NULL is its columns' (not_null_ddl.h).
#pragma once

#include "sinks/ddl/phases.h"
#include "stream/definition/table_definition.h"

namespace pgsluice {

void add_constraint(const TableDefinition& table, const ConstraintDefinition& constraint, DdlPhases& out);
DerivedStatement comment_on(const TableDefinition& table, const ConstraintDefinition& constraint);

// `with_parent`: those that it inherits come with the parent's command.
void derive_constraints(const TableDefinition& before, const TableDefinition& after, bool with_parent, DdlPhases& out);

}  // namespace pgsluice
