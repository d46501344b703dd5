// The commands that give a target the definitions of a DDL message. Pure: no server is asked.
//
// The definitions are those that the target is to have: after rules and routing. A command is derived only for what
// differs, and only for objects of the message. Columns are the same by their number, labels, constraints and whole
// objects by their oid, so that a rename is a rename. Nothing is ever dropped with CASCADE.
#pragma once

#include <vector>

#include "sinks/ddl/derived_statement.h"
#include "stream/definition/definition_message.h"

namespace pgsluice {

// In the order in which they work: what depends on others is dropped before them and made after them.
std::vector<DerivedStatement> derive(const DefinitionMessage& message);

// All of them as one line of text.
std::string text_of(const std::vector<DerivedStatement>& statements);

}  // namespace pgsluice
