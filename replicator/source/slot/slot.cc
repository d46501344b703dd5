#include "replicator/source/slot/slot.h"

#include <fmt/format.h>

#include <utility>

#include "replicator/source/lock_wait_monitor.h"
#include "replicator/source/recovery.h"

namespace pgsluice {

std::optional<SlotState> find_slot(sql::Connection& connection, const std::string& name) {
    // PostgreSQL 16 and 17 say more about invalidation than wal_status; to_jsonb lets one query ask all versions.
    const auto found = connection.query(
        "SELECT s.slot_type = 'logical' AND s.plugin = 'pgoutput' AND s.database = pg_catalog.current_database(), "
        "  coalesce(s.active_pid, 0), "
        "  coalesce(s.wal_status = 'lost', false) "
        "    OR coalesce((pg_catalog.to_jsonb(s) ->> 'conflicting')::pg_catalog.bool, false) "
        "    OR pg_catalog.to_jsonb(s) ->> 'invalidation_reason' IS NOT NULL, "
        "  s.confirmed_flush_lsn, coalesce(s.plugin, s.slot_type) || coalesce(' in ' || s.database, ''), "
        "  coalesce((pg_catalog.to_jsonb(s) ->> 'failover')::pg_catalog.bool, false), "
        "  coalesce(pg_catalog.to_jsonb(s) ->> 'invalidation_reason' = 'idle_timeout', false) "
        "FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = $1",
        {sql::Param(name)}, {7, 0, 1});
    if (found.rows() == 0) return std::nullopt;
    SlotState slot;
    slot.ours = found.get(0, 0).value_or("f") == "t";
    slot.active_pid = static_cast<int>(found.integer(0, 1));
    slot.invalidated = found.boolean(0, 2);
    if (const auto confirmed = found.get(0, 3)) slot.confirmed = parse_lsn(*confirmed).value_or(Lsn{});
    slot.plugin_and_database = found.text(0, 4);
    slot.failover = found.boolean(0, 5);
    slot.was_idle = found.boolean(0, 6);
    return slot;
}

void drop_slot(sql::Connection& connection, const std::string& name) {
    connection.query(
        "SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots WHERE slot_name = "
        "$1 AND database = pg_catalog.current_database()",
        {sql::Param(name)}, {1, 0, 1});
}

std::optional<SlotState> end_abandoned_creation(sql::Connection& connection, const std::string& name,
                                                const SlotState& found, const Log& log) {
    if (!found.ours) return found;  // the slot of a group of the same name in another database
    log(LogLevel::warning,
        fmt::format("ending server process {}, which a killed replicator left while it created slot '{}'",
                    found.active_pid, name));
    const std::string pid = std::to_string(found.active_pid);
    // Waits up to 5 s for the process to be gone (PostgreSQL 14 brought the second argument).
    connection.query("SELECT pg_catalog.pg_terminate_backend($1::pg_catalog.int4, 5000)", {sql::Param(pid)}, {1, 1, 1});
    return find_slot(connection, name);
}

namespace {

// Whether it exists; ends it unless `look_only`. The conditions are part of the statement that ends it, so that a later
// process with the same number is spared. Builds before this one were all called 'pgsluice'.
bool end_walsender_of_ours(sql::Connection& connection, const std::string& slot, int pid, bool look_only) {
    const std::string number = std::to_string(pid);
    const std::string look = look_only ? "true" : "false";
    const auto found = connection.query(
        "SELECT CASE WHEN $3::pg_catalog.bool THEN true ELSE pg_catalog.pg_terminate_backend(a.pid, 1000) END "
        "FROM pg_catalog.pg_replication_slots s JOIN pg_catalog.pg_stat_activity a ON a.pid = s.active_pid "
        "WHERE s.slot_name = $1 AND s.database = pg_catalog.current_database() AND s.active_pid = $2::pg_catalog.int4 "
        "AND a.usename = SESSION_USER "
        "AND a.application_name IN (pg_catalog.current_setting('application_name'), 'pgsluice')",
        {sql::Param(slot), sql::Param(number), sql::Param(look)}, {1, 0, 1});
    return found.rows() == 1;
}

}  // namespace

std::optional<SlotState> end_left_walsender(sql::Connection& connection, const std::string& name,
                                            std::optional<SlotState> found, std::chrono::milliseconds patience,
                                            const Log& log) {
    if (!found || !found->ours || found->active_pid == 0) return found;
    const int pid = found->active_pid;
    if (!end_walsender_of_ours(connection, name, pid, true)) return find_slot(connection, name);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (found && found->active_pid == pid && std::chrono::steady_clock::now() < deadline) {
        connection.wait(false, 100);
        found = find_slot(connection, name);
    }
    if (!found || found->active_pid != pid) return found;
    log(LogLevel::warning,
        fmt::format("ending server process {}, which an earlier session left using slot '{}'", pid, name));
    // Where its client takes nothing, a walsender that is told to end hangs in saying so, until it is told again.
    for (int times = 0; times < 5 && found && found->active_pid == pid; ++times) {
        end_walsender_of_ours(connection, name, pid, false);
        found = find_slot(connection, name);
    }
    return found;
}

sql::CreatedSlot create_slot(sql::ReplicationConnection& creator, const std::string& name, sql::SlotLife life,
                             sql::SlotSnapshot snapshot, sql::Connection& observer, const Log& log,
                             std::vector<int> our_pids) {
    LockWaitMonitor monitor(observer, log, fmt::format("creating slot '{}'", name), std::move(our_pids));
    StandbySnapshotWait primary(observer, log, name);
    const int pid = creator.connection().backend_pid();
    return creator.create_slot(name, life, snapshot, [&] {
        monitor.look(pid);
        primary.look();
    });
}

SlotGuard::~SlotGuard() {
    if (name_.empty()) return;
    try {
        sql::Connection connection(source_);
        drop_slot(connection, name_);
    } catch (...) {  // the source is gone or the slot busy; the next start looks again
    }
}

}  // namespace pgsluice
