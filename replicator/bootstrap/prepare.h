// Begins a group whose targets start with a dump of the source, and not with a copy through the stream.
#pragma once

#include <span>

#include "replicator/bootstrap/steps.h"
#include "replicator/ends.h"
#include "replicator/resume_point.h"
#include "replicator/start_up.h"
#include "replicator/tables/owed.h"
#include "sql/catalog.h"

namespace pgsluice {

// What a replicator that starts has to do about it (decide_bootstrap()). A stop Error while a worker of a group that is
// to be prepared is running, which would not wait.
BootstrapStart find_bootstrap_start(const ReplicatorOptions& options, Broker& broker, const StartFacts& facts);
// Before a message is published that workers might read, or a slot is made: from here on workers that start wait; or
// those of a group that begins otherwise need not.
void begin_or_end_bootstrap(BootstrapStart start, Broker& broker, const Names& names, bool resuming,
                            const std::stop_token& stop);
// The slot, its snapshot, and the commands to run with it. Where changes begin.
ResumePoint prepare_bootstrap(const ReplicatorEnds& ends, OwedTables& owed, std::span<const sql::CatalogTable> tables);

}  // namespace pgsluice
