// Reads the group's slot and publishes what comes: replicator/wal/stream.h with everything that it needs.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "replicator/ends.h"
#include "replicator/resume_point.h"
#include "replicator/source/ddl_events.h"
#include "replicator/tables/gate.h"
#include "replicator/tables/replicated.h"
#include "replicator/wal/stream.h"
#include "sql/lsn.h"
#include "sql/replication.h"
#include "stream/change.h"

namespace pgsluice {

struct LogReading {
    ResumePoint resume;
    DdlPrefixes ddl;  // of the messages that carry DDL
    // Reading ends here: everything committed before is published, without the changes of the tables `left_out`.
    std::optional<Lsn> until = std::nullopt;
    std::set<Oid> left_out = {};
    // To read over; without one, another is made.
    std::optional<sql::ReplicationConnection> connection = std::nullopt;
};

// `gate` says whose changes are delivered; `monitor`, which may be null, is told of DDL.
WalEnd read_log(const ReplicatorEnds& ends, ReplicatedTables& tables, TableGate& gate, TableMonitor* monitor,
                LogReading reading);

// Publishes a progress marker and waits until it is stored: everything before `point` is published, or holds nothing of
// ours.
ResumePoint mark_progress(const ReplicatorEnds& ends, Lsn point);
// The same where the rows as of `point` come with a dump: workers do not pass that marker without it.
ResumePoint mark_dump(const ReplicatorEnds& ends, Lsn point);

}  // namespace pgsluice
