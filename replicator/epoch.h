// One epoch: an attempt at a snapshot, announced in KV, checked while it runs, its figures kept.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "replicator/ends.h"
#include "replicator/resume_point.h"
#include "replicator/snapshot/snapshot.h"
#include "replicator/source/members.h"
#include "replicator/tables/owed.h"
#include "sql/catalog.h"
#include "sql/connection.h"
#include "sql/lsn.h"

namespace pgsluice {

// The snapshot of all the group's tables. Where its changes begin. Before anything of it is published, `look` is given
// a connection that sees the source as the snapshot does: throws when other tables are to be copied.
ResumePoint take_snapshot(const ReplicatorEnds& ends, OwedTables& owed, std::span<const sql::CatalogTable> tables,
                          std::uint64_t epoch, const std::function<void(sql::Connection&)>& look);

// The members that bring in exactly the tables of an epoch, as `reader` sees them at the epoch's LSN. A retry Error
// when the tables have changed since they were chosen.
std::vector<Member> members_of(std::span<const SourceTable> tables, std::span<const sql::CatalogTable> named,
                               sql::Connection& reader, const ReplicatorOptions& options);

// Adds the checks and the figures to the job and runs it. The consistent point.
Lsn run_epoch(const ReplicatorEnds& ends, SnapshotJob& job);

}  // namespace pgsluice
