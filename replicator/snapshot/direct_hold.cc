#include "replicator/snapshot/direct_hold.h"

#include <fmt/format.h>

#include <utility>

#include "sql/error.h"
#include "stream/base/failpoint.h"
#include "stream/base/pause.h"
#include "stream/direct_sessions.h"
#include "stream/format/markers.h"

namespace pgsluice {

namespace {

constexpr auto hold_poll = std::chrono::milliseconds(100);
constexpr auto look_interval = std::chrono::seconds(1);
// A command that waits for our locks may give up by itself (lock_timeout).
constexpr auto deadlock_patience = std::chrono::seconds(10);

}  // namespace

DirectHold::DirectHold(const DirectHoldParts& parts, sql::Connection& reader, Lsn consistent_point)
    : parts_(parts),
      reader_(reader),
      point_(consistent_point),
      watch_(parts.source, parts.log, "the worker that reads the snapshot", {reader.backend_pid()}) {}

void DirectHold::publish_begin(const SnapshotBegin& begin, DirectPlan plan) {
    plan.snapshot = reader_.query("SELECT pg_catalog.pg_export_snapshot()", {}, {1, 1, 1}).text(0, 0);
    parts_.publisher.publish({MessageKind::snapshot_begin, {point_, 0}, point_, parts_.job.added}, encode(begin, plan));
    PGSLUICE_FAILPOINT("direct-held");
}

void DirectHold::await_loaded() {
    while (!parts_.job.loaded(point_, parts_.report)) {
        if (!pause(parts_.stop, hold_poll)) throw Interrupted{};
        static_cast<void>(parts_.publisher.has_room());  // throws when the generation is broken
        if (parts_.job.check) parts_.job.check(false);
        parts_.report.tell();
        look_at_worker();
    }
    prove_held();
}

// A snapshot that was exported again after the source was restarted may have the same name: what the worker has read is
// of ours only if this transaction is still open.
void DirectHold::prove_held() { reader_.exec("SELECT", "make sure that the snapshot is still held"); }

// It locks the tables, too, and would queue after an ALTER TABLE that waits for us: a deadlock that PostgreSQL cannot
// see.
void DirectHold::look_at_worker() {
    if (Clock::now() < next_look_) return;
    next_look_ = Clock::now() + look_interval;
    reader_.require_open();
    const auto waiting = parts_.source.query(
        "SELECT pid FROM pg_catalog.pg_stat_activity WHERE application_name = $1 AND "
        "pg_catalog.cardinality(pg_catalog.pg_blocking_pids(pid)) > 0 ORDER BY 1",
        {direct_sessions_name(parts_.options.names.group)}, {1});
    try {
        watch_.look(waiting.rows() == 0 ? parts_.source.backend_pid() : static_cast<int>(waiting.integer(0, 0)));
        deadlocked_since_.reset();
    } catch (const Deadlocked& conflict) {
        if (!deadlocked_since_) deadlocked_since_ = Clock::now();
        if (Clock::now() - *deadlocked_since_ < deadlock_patience) return;
        throw retry_error(
            fmt::format("the snapshot releases its locks and starts over: the worker that reads it waited "
                        "for {}, which waits for the snapshot",
                        conflict.whom));
    }
}

}  // namespace pgsluice
