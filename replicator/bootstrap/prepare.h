// Begins a group whose targets start with a dump of the source, and not with a copy through the stream.
#pragma once

#include <span>

#include "replicator/ends.h"
#include "replicator/resume_point.h"
#include "replicator/tables/owed.h"
#include "sql/catalog.h"

namespace pgsluice {

// A stop Error while a worker of the group is running, which would not wait.
void check_no_worker_runs(Broker& broker, const Names& names);
// Before anything is published: from here on workers that start wait.
void announce_bootstrap(Broker& broker, const Names& names, const std::stop_token& stop);
// The slot, its snapshot, and the commands to run with it. Where changes begin.
ResumePoint prepare_bootstrap(const ReplicatorEnds& ends, OwedTables& owed, std::span<const sql::CatalogTable> tables);

}  // namespace pgsluice
