// What a worker does of a group whose replicator applies rules before it publishes (stream/group/source_rules.h).
#pragma once

#include <stop_token>

#include "rules/rules_files.h"
#include "stream/base/log.h"
#include "stream/broker.h"
#include "worker/options.h"

namespace pgsluice {

// At a session's start, once the group's tables are known: says that it is such a group. A stop Error where the worker
// would make tables from the source's definitions, which the replicator's rules have not seen. `files`: the worker's
// own.
void meet_source_rules(const WorkerOptions& options, const RulesFiles& files, Broker& broker, const Log& log,
                       const std::stop_token& stop);

}  // namespace pgsluice
