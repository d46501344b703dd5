#include "replicator/source/lock_wait_monitor.h"

#include <fmt/format.h>

#include <utility>

#include "replicator/source/session.h"
#include "sql/backend.h"

namespace pgsluice {

void LockWaitMonitor::look(int waiting_pid) {
    const auto now = Clock::now();
    if (now < next_look_) return;
    next_look_ = now + std::chrono::seconds(1);
    const std::string blockers = sql::describe_blockers(observer_, std::to_string(waiting_pid));
    if (blockers.empty()) return say_over();
    if (waits_for_us(waiting_pid)) throw Deadlocked{blockers};
    if (now < next_log_) return;
    next_log_ = now + std::chrono::seconds(10);
    log_(LogLevel::warning, fmt::format("{} waits for {}", what_, blockers));
    waits_ = true;
}

LockWaitMonitor::~LockWaitMonitor() { say_over(); }

void LockWaitMonitor::say_over() {
    if (std::exchange(waits_, false)) log_(LogLevel::info, fmt::format("{} no longer waits", what_));
    next_log_ = {};
}

StatementWatch::StatementWatch(sql::Connection& waiting, const Log& log, const std::string& what) : waiting_(waiting) {
    waiting_.on_tick([this, &log, what] {
        if (!observer_) {
            observer_ = connect_source(waiting_.options(), waiting_.stop());
            watch_.emplace(*observer_, log, what);
        }
        watch_->look(waiting_.backend_pid());
    });
}

bool LockWaitMonitor::waits_for_us(int waiting_pid) {
    const std::string pid = std::to_string(waiting_pid);
    std::string ours = "{";
    for (const int our_pid : our_pids_) ours += (ours.size() > 1 ? "," : "") + std::to_string(our_pid);
    ours += '}';
    // The session it waits for may in turn wait for another, and that one for us.
    return observer_
        .query(
            "WITH RECURSIVE waited(pid) AS ("
            "  SELECT u FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1::pg_catalog.int4)) AS u"
            "  UNION SELECT u FROM waited, pg_catalog.unnest(pg_catalog.pg_blocking_pids(waited.pid)) AS u) "
            "SELECT EXISTS (SELECT FROM waited WHERE pid = ANY ($2::pg_catalog.int4[]))",
            {sql::Param(pid), sql::Param(ours)}, {1, 1, 1})
        .boolean(0, 0);
}

}  // namespace pgsluice
