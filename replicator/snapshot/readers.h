// The connections that read one snapshot: from locks over slot and exported snapshot to the imported one.
//
// Every reader locks all tables (ACCESS SHARE) in the transaction it will read in, before the slot is created:
// - a rewrite between export and COPY would make the old snapshot see an empty table, silently;
// - a reader that came for its lock later would queue after an ALTER TABLE that waits for another reader: a deadlock
//   that PostgreSQL cannot see.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "replicator/options.h"
#include "replicator/source/slot/slot.h"
#include "sql/catalog.h"
#include "sql/connection.h"
#include "sql/lsn.h"
#include "sql/replication.h"
#include "stream/base/log.h"

namespace pgsluice {

struct SnapshotReaders {
    Lsn consistent_point;
    std::vector<sql::Connection> connections;  // in a transaction each, on the slot's snapshot
};

struct SnapshotSlot {
    std::string name;
    bool stays = true;  // otherwise it is temporary, and gone when open_snapshot() returns
};

// Locks, creates the slot, imports its snapshot. Waits for transactions that hold locks or have written, and names them
// in the log; starts over when such a transaction itself comes to wait for our locks. `observer` only runs catalog
// queries.
SnapshotReaders open_snapshot(const ReplicatorOptions& options, const SnapshotSlot& slot,
                              std::span<const sql::CatalogTable> tables, sql::Connection& observer, const Log& log,
                              const std::stop_token& stop);

// For a snapshot that is only held, for others to read.
ReplicatorOptions with_one_reader(ReplicatorOptions options);

// As many connections as the options say.
int reader_count(const ReplicatorOptions& options);

}  // namespace pgsluice
