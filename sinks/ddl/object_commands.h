// The commands that objects of all classes have, and what commands on a table have in common.
#pragma once

#include <string>

#include "sinks/ddl/derived_statement.h"
#include "stream/definition/table_definition.h"

namespace pgsluice {

// What COMMENT ON ... IS takes.
std::string comment_text(const std::string& comment);

// One that runs with the rights of the table's owner.
DerivedStatement on_table(const TableDefinition& table, DdlKind kind, std::string text);

// ALTER ... OWNER TO, where the target has the role. `what`: "TABLE public.t"; `object` for messages.
DerivedStatement owner_statement(const std::string& what, const std::string& role, std::string object);

}  // namespace pgsluice
