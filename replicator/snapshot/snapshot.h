// The snapshot: every row of the group's tables as of the slot's consistent point, as COPY text, into the stream.
//
// Messages: snapshot_begin, copy ..., snapshot_end. All carry position (consistent point, 0) and safe_flush_lsn = the
// consistent point: changes that commit from there on have positions above, and the slot is there already.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "replicator/options.h"
#include "replicator/snapshot/readers.h"
#include "replicator/snapshot/report.h"
#include "replicator/source/tables.h"
#include "sql/catalog.h"
#include "sql/connection.h"
#include "stream/base/log.h"
#include "stream/publisher.h"

namespace pgsluice {

struct SnapshotJob {
    std::uint64_t epoch = 1;
    std::span<const sql::CatalogTable> tables;  // of the publication
    SnapshotSlot slot;
    bool added = false;  // MessageMeta::added
    // Called with the consistent point, the tables as changes name them, and a connection whose transaction sees the
    // source as of that point and holds the tables' locks: throws when it is not these tables that are to be copied.
    // May be empty.
    std::function<void(Lsn, std::span<const SourceTable>, sql::Connection&)> chosen;
    // Called with the consistent point before anything of the tables is published: gives them their rules. May be
    // empty.
    std::function<void(Lsn, std::span<SourceTable>)> give_rules;
    // Called with the consistent point and the tables as changes name them: when it returns, all that was committed
    // before is published, without these tables' changes. May be empty.
    std::function<void(Lsn, std::span<const SourceTable>)> reach;
    // Called with the consistent point once snapshot_begin is published, before the first row is. May be empty.
    std::function<void(Lsn)> begun;
    // Of a direct snapshot, whose rows are not published: called several times a second with its consistent point;
    // shows in the report what a worker has loaded, and returns whether that is all. Empty: the rows are published.
    std::function<bool(Lsn, SnapshotReport&)> loaded;
    // Gets the figures as JSON now and then, for KV. May be empty.
    std::function<void(std::string_view)> keep_progress;
    // Called again and again while rows are published, and once all are stored, before the copy's end is: throws when
    // the stream does not keep them. May be empty.
    std::function<void(bool all_stored)> check;
    // Called once the end marker is stored, with the rows of each table, by the oid that its changes name. May be
    // empty.
    std::function<void(const std::map<Oid, std::uint64_t>&)> ended;
    // Tables, by that oid, whose rows in the targets are void (SnapshotBegin::replaces). May be empty.
    std::function<bool(Oid)> replaces;
    // Relation::came_as of a table. May be empty.
    std::function<std::vector<QualifiedName>(const SourceTable&)> came_as;
};

// Copies all, and returns the consistent point once JetStream has stored the end marker. Memory depends neither on the
// tables' sizes nor on the publisher's speed, but holds the largest row a few times. A slot that stays is dropped when
// this is left by an exception. `source` is an idle connection.
Lsn copy_snapshot(const ReplicatorOptions& options, const SnapshotJob& job, sql::Connection& source,
                  Publisher& publisher, const Log& log, std::stop_token stop);

}  // namespace pgsluice
