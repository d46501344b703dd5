// The function of the group's event triggers (ddl_command_end, sql_drop, table_rewrite). It compares what a command was
// about with the definitions that the group has kept, and writes what differs into the WAL, before and after, as one
// message. Nothing depends on the command's text.
//
// It runs as its owner, under fixed settings (functions.h), in the user's transaction and with its snapshot. Two
// transactions do not wait for each other through it: a kept definition is written only by whoever changes the object,
// and so has locked it; whatever else is noted is added, never changed.
#pragma once

#include <string>

#include "replicator/source/ddl/scope.h"

namespace pgsluice::ddl {

std::string trigger_body(const Scope& scope);

}  // namespace pgsluice::ddl
