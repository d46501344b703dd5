// Compares the rules and routing files with the tables that are replicated, before anything is read.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "rules/ruleset.h"
#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/names.h"

namespace pgsluice {

// Tells the ruleset the source's foreign keys, too. Broker and names must outlive its use.
// Returns the tables; nothing, with a warning, when the group's are not known: then the files are checked when rows
// come. `continues`: the worker has a checkpoint, so it may have to read rows from before a table was altered, under
// the rules of that time; what does not fit is a warning then, and a usage Error otherwise.
std::optional<std::vector<RelationPtr>> check_tables(Ruleset& ruleset, Broker& broker, const Names& names,
                                                     const StreamState& stream, bool continues, const Log& log,
                                                     const std::stop_token& stop);

}  // namespace pgsluice
