// Source and target at one LSN, while writers and the worker continue.
//
// The argument. On the source, a temporary replication slot gives a snapshot and its consistent point C: the snapshot
// holds exactly the transactions whose commit record lies before C. (A snapshot next to pg_current_wal_lsn() would
// not: transactions become visible in another order than they are written to the log.) The worker applies transactions
// in the order of their commit records, and PostgreSQL's decoding gives all of them. So the target is at C when the
// worker has applied every transaction below C and none above.
//
// That moment has to be made, for it lasts no longer than the next commit:
//
//   1. compare asks the worker to stand still (stream/group/compare_keys.h). What it has applied by then was read from
//      the log, so it lies below the C that comes next.
//   2. compare creates the slot, which says C, and imports its snapshot on its connections.
//   3. compare tells the worker C. The worker applies what is below, then stands still again and says so.
//   4. compare takes its snapshot of the target and lets the worker continue.
//
// Nothing in this is trusted to be in time. The worker's progress row is written in the transactions of the data, so
// compare reads it within its snapshot of the target: if its position is below C, nothing above C is in the snapshot;
// and that everything below C is, the worker said before the snapshot was taken. A worker that ended or gave up waiting
// in between only means another attempt. A compare that dies leaves a temporary slot, which PostgreSQL drops, and a
// request that the worker ends after 15 seconds.
//
// A table that is rewritten (TRUNCATE, ALTER TABLE) after a snapshot was taken and before we lock it would look empty:
// its relfilenode is compared once it is locked, and another one means another attempt.
//
// Whether tables are being copied (copies.h) is looked up while the worker stands at C.
#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "sql/connection.h"
#include "sql/lsn.h"
#include "stream/base/log.h"
#include "stream/broker.h"
#include "worker/compare/options.h"
#include "worker/compare/table.h"

namespace pgsluice {

struct BothEnds {
    Lsn lsn;
    std::vector<sql::Connection> source;  // in a transaction each, on one snapshot
    std::vector<sql::Connection> target;
};

// Another attempt may succeed.
struct NotMet {
    std::string reason;
};

// A connection as both ends are read: no timeouts, an empty search_path, row security not applied in silence.
sql::Connection connect_end(const sql::ConnectOptions& options, const std::stop_token& stop);

// A stop Error when the worker is not a running postgres worker, or does not get there.
// `while_held` is called while the worker stands at the LSN; it may throw NotMet. May be empty.
BothEnds meet_at_one_lsn(const CompareOptions& options, std::span<const ComparedTable> tables, Broker& broker,
                         const Log& log, const std::stop_token& stop,
                         const std::function<void(BothEnds&)>& while_held = {});

}  // namespace pgsluice
