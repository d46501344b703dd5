// Holds the snapshot of a direct copy, whose rows are not published, until a worker has read them from the source.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>

#include "replicator/options.h"
#include "replicator/snapshot/report.h"
#include "replicator/snapshot/snapshot.h"
#include "replicator/source/lock_wait_monitor.h"
#include "sql/connection.h"
#include "stream/format/direct_plan.h"
#include "stream/publisher.h"

namespace pgsluice {

struct DirectHoldParts {
    const ReplicatorOptions& options;
    const SnapshotJob& job;
    sql::Connection& source;  // idle; looks at the workers' sessions
    Publisher& publisher;
    SnapshotReport& report;
    const Log& log;
    const std::stop_token& stop;
};

class DirectHold {
   public:
    // `reader` is in the transaction that sees the snapshot and has the tables' locks.
    DirectHold(const DirectHoldParts& parts, sql::Connection& reader, Lsn consistent_point);

    // With the snapshot's name filled in.
    void publish_begin(const SnapshotBegin& begin, DirectPlan plan);
    // Returns once a worker has loaded all, and the snapshot has been held all the time. A retry Error when it was
    // lost, or when the worker waits for a session that waits for our locks.
    void await_loaded();

   private:
    using Clock = std::chrono::steady_clock;
    void look_at_worker();
    void prove_held();

    const DirectHoldParts parts_;
    sql::Connection& reader_;
    const Lsn point_;
    LockWaitMonitor watch_;
    Clock::time_point next_look_{};
    std::optional<Clock::time_point> deadlocked_since_;
};

}  // namespace pgsluice
