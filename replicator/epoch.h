// One epoch: an attempt at a snapshot, announced in KV, checked while it runs, its figures kept.
#pragma once

#include <cstdint>
#include <span>

#include "replicator/ends.h"
#include "replicator/resume_point.h"
#include "replicator/snapshot/snapshot.h"
#include "sql/catalog.h"
#include "sql/lsn.h"

namespace pgsluice {

// The snapshot of all the group's tables. Where its changes begin.
ResumePoint take_snapshot(const ReplicatorEnds& ends, std::span<const sql::CatalogTable> tables, std::uint64_t epoch);

// Adds the checks and the figures to the job and runs it. The consistent point.
Lsn run_epoch(const ReplicatorEnds& ends, SnapshotJob& job);

}  // namespace pgsluice
