// The two transactions around a snapshot's load: making room before it, and ending it.
#pragma once

#include <vector>

#include "sinks/options.h"
#include "sinks/postgres/progress.h"
#include "sinks/postgres/session.h"
#include "sinks/postgres/target_mappings.h"

namespace pgsluice {

// Throws away what an unfinished older epoch loaded, does with other rows that are there already as the user chose (a
// stop Error naming the tables by default, and where they would be there twice), and makes `next` the progress; all in
// one transaction, which also notes the tables that hold nothing now: only those may be emptied if this epoch remains
// unfinished. The `replaced` ones are emptied: what they hold was delivered before and is void
// (SnapshotBegin::replaces).
void prepare_snapshot(PostgresSession& session, PostgresProgress& progress, TargetMappings& mappings,
                      ExistingRows existing, const std::vector<RelationPtr>& tables,
                      const std::vector<RelationPtr>& replaced, const SinkState& next);

// Once everything is loaded: forgets which blocks were, and makes `next` the progress, in one transaction.
void finish_snapshot(PostgresSession& session, PostgresProgress& progress, const SinkState& next);

}  // namespace pgsluice
