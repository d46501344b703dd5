// The two transactions around a snapshot's load: making room before it, and ending it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sinks/options.h"
#include "sinks/postgres/history/copied_versions.h"
#include "sinks/postgres/kept_rows.h"
#include "sinks/postgres/progress.h"
#include "sinks/postgres/session.h"
#include "sinks/postgres/target_mappings.h"

namespace pgsluice {

struct SnapshotTargets {
    ExistingRows existing = ExistingRows::error;
    const std::vector<RelationPtr>& tables;  // null: routed away
    // Those whose rows were delivered before and are void (SnapshotBegin::replaces): emptied, unless they are shared.
    std::vector<RelationPtr> replaced;
    // Of the tables, by their index: other tables that fill it and are not in the copy. Never emptied.
    const std::map<std::uint32_t, std::set<std::string>>& shared;
    // By oid: those with a key are written over and not emptied (KeptRows).
    const std::set<Oid>& kept;
    CopiedVersions& versions;  // of tables whose history is kept: nothing but shared rows is in the way of theirs
};

// Before that, for tables that cannot be made while rows are in their way: empties, in a transaction of its own, what
// prepare_snapshot() will empty, of the tables that are there. Whether there was any.
bool empty_ahead(PostgresSession& session, PostgresProgress& progress, const SnapshotTargets& targets);

// Throws away what an unfinished older epoch loaded, does with other rows that are there already as the user chose (a
// stop Error naming the tables by default, and where they would be there twice), and makes `next` the progress; all in
// one transaction, which also notes the tables that hold nothing now: only those may be emptied if this epoch remains
// unfinished.
void prepare_snapshot(PostgresSession& session, PostgresProgress& progress, TargetMappings& mappings,
                      const SnapshotTargets& targets, const SinkState& next);

// Why a copy does not begin while these tables (quoted and qualified) hold rows; not for `truncate`. A stop Error.
Error holds_rows(const std::vector<std::string>& tables, ExistingRows existing);

// Once everything is loaded: forgets which blocks were, and whose rows were kept, and makes `next` the progress, in one
// transaction, in which `within` is called.
void finish_snapshot(PostgresSession& session, PostgresProgress& progress, KeptRows& kept,
                     const std::vector<RelationPtr>& tables, const SinkState& next,
                     const std::function<void()>& within);

}  // namespace pgsluice
