#include "replicator/source/slot/wal_limits.h"

#include <fmt/format.h>

namespace pgsluice {

namespace {

// In its own unit; empty where the version has no such setting.
std::string setting(sql::Connection& connection, const char* name) {
    const auto found = connection.query("SELECT pg_catalog.current_setting($1, true)", {sql::Param(name)}, {1, 1, 1});
    return std::string(found.get(0, 0).value_or(""));
}

WalLimit of_size(const std::string& limit) {
    if (limit != "-1")
        return {true, fmt::format("max_slot_wal_keep_size is {}: a slot that falls further behind is lost", limit), {}};
    return {false,
            "max_slot_wal_keep_size is not set: while the replicator is stopped or the stream is full, the WAL that "
            "the slot keeps can fill the source's disk",
            "Set it below the free space of that disk, as in ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'; SELECT "
            "pg_reload_conf()."};
}

}  // namespace

std::vector<WalLimit> look_at_wal_limits(sql::Connection& connection) {
    std::vector<WalLimit> limits{of_size(setting(connection, "max_slot_wal_keep_size"))};
    const std::string idle = setting(connection, "idle_replication_slot_timeout");  // from PostgreSQL 18 on
    if (!idle.empty() && idle != "0")
        limits.push_back({false,
                          fmt::format("idle_replication_slot_timeout is {}: a replicator that is stopped, or copies "
                                      "tables, for longer has lost its slot",
                                      idle),
                          "Run ALTER SYSTEM SET idle_replication_slot_timeout = 0 on the source, then SELECT "
                          "pg_reload_conf()."});
    return limits;
}

}  // namespace pgsluice
