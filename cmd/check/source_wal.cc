#include "cmd/check/source_wal.h"

#include <fmt/format.h>

#include "replicator/source/slot_health.h"
#include "replicator/source/wal_retention_check.h"

namespace pgsluice {

namespace {

// In its own unit; empty where the version has no such setting.
std::string setting(sql::Connection& connection, const char* name) {
    const auto found = connection.query("SELECT pg_catalog.current_setting($1, true)", {sql::Param(name)}, {1, 1, 1});
    return std::string(found.get(0, 0).value_or(""));
}

void look_at_limits(sql::Connection& connection, Findings& found) {
    const std::string limit = setting(connection, "max_slot_wal_keep_size");
    if (limit == "-1")
        found.warn(
            "max_slot_wal_keep_size is not set: while the replicator is stopped or the stream is full, the WAL that "
            "the slot keeps can fill the source's disk",
            "Set it below the free space of that disk, as in ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'; "
            "SELECT pg_reload_conf().");
    else
        found.ok(fmt::format("max_slot_wal_keep_size is {}: a slot that falls further behind is lost", limit));
    const std::string idle = setting(connection, "idle_replication_slot_timeout");
    if (!idle.empty() && idle != "0")
        found.warn(fmt::format("idle_replication_slot_timeout is {}: a replicator that is stopped for longer has lost "
                               "its slot",
                               idle),
                   "Run ALTER SYSTEM SET idle_replication_slot_timeout = 0 on the source, then SELECT "
                   "pg_reload_conf().");
}

}  // namespace

void look_at_wal_kept(const std::string& slot, CheckedSource& source, Findings& found) {
    look_at_limits(*source.connection, found);
    if (!source.slot) return;
    const SlotHealth health = look_at_slot(*source.connection, slot);
    const SlotRetention state{health.wal_status, health.safe_bytes, static_cast<std::int64_t>(health.held_bytes)};
    const std::string warning = WalRetentionCheck::warning(slot, state, 0);
    if (!warning.empty()) found.warn(warning);
}

}  // namespace pgsluice
