#include "replicator/wait_watch.h"

#include <fmt/format.h>

#include "replicator/source_session.h"

namespace pgsluice {

void WaitWatch::look(int waiting_pid) {
    const auto now = Clock::now();
    if (now < next_look_) return;
    next_look_ = now + std::chrono::seconds(1);
    const std::string blockers = describe_blockers(observer_, waiting_pid);
    if (blockers.empty()) return;
    if (waits_for_us(waiting_pid)) throw Deadlocked{blockers};
    if (now < next_log_) return;
    next_log_ = now + std::chrono::seconds(10);
    log_(LogLevel::warning, fmt::format("{} waits for {}", what_, blockers));
}

bool WaitWatch::waits_for_us(int waiting_pid) {
    const std::string pid = std::to_string(waiting_pid);
    std::string ours = "{";
    for (const int our_pid : our_pids_) ours += (ours.size() > 1 ? "," : "") + std::to_string(our_pid);
    ours += '}';
    return observer_
        .query(
            "SELECT coalesce(pg_catalog.bool_or(pg_catalog.pg_blocking_pids(b.pid) && $2::pg_catalog.int4[]), "
            "false) "
            "FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1::pg_catalog.int4)) AS b(pid)",
            {sql::Param(pid), sql::Param(ours)}, {1, 1, 1})
        .boolean(0, 0);
}

}  // namespace pgsluice
