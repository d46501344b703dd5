#include "replicator/source/group_lock.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/error.h"

namespace pgsluice {

namespace {

// Advisory lock keys are two integers: "pgsl", and a hash of the slot's name (FNV-1a) that no version changes.
constexpr std::int32_t lock_class = 0x7067736C;

std::int32_t hash(std::string_view text) {
    std::uint32_t value = 2166136261U;
    for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 16777619U;
    return static_cast<std::int32_t>(value);
}

// This process's last holder for each slot, and whether its session is still running.
struct LockSession {
    LockHolder holder;
    bool lives = false;
};

std::mutex sessions_mutex;

std::map<std::string, LockSession>& sessions() {
    static std::map<std::string, LockSession> all;
    return all;
}

// The two integers of a group's advisory lock, as parameters.
struct LockKey {
    explicit LockKey(std::string_view slot) : of_group(std::to_string(hash(slot))) {}
    [[nodiscard]] std::vector<sql::Param> params() const { return {sql::Param(of_all), sql::Param(of_group)}; }

    std::string of_all = std::to_string(lock_class);
    std::string of_group;
};

bool take_lock(sql::Connection& connection, const LockKey& key) {
    return connection
        .query("SELECT pg_catalog.pg_try_advisory_lock($1::pg_catalog.int4, $2::pg_catalog.int4)", key.params(),
               {1, 1, 1})
        .boolean(0, 0);
}

// Whether the holder was left by an earlier session of ours and is gone now.
bool end_leftover(sql::Connection& connection, const std::string& slot, const LockHolder& holder) {
    if (!is_own_leftover(slot, holder)) return false;
    return connection
        .query("SELECT pg_catalog.pg_terminate_backend($1::pg_catalog.int4, 5000)", {sql::Param(holder.pid)}, {1, 1, 1})
        .boolean(0, 0);
}

}  // namespace

std::optional<LockHolder> find_lock_holder(sql::Connection& connection, const std::string& slot) {
    const auto found = connection.query(
        "SELECT l.pid, coalesce(a.backend_start::pg_catalog.text, '') FROM pg_catalog.pg_locks l "
        "LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid "
        "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 "
        "AND l.classid = $1::pg_catalog.oid AND l.objid = ($2::pg_catalog.int8 & 4294967295)::pg_catalog.oid "
        "AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) "
        "LIMIT 1",
        LockKey(slot).params(), {2, 0, 1});
    if (found.rows() == 0) return std::nullopt;
    return LockHolder{found.text(0, 0), found.text(0, 1)};
}

bool is_own_leftover(const std::string& slot, const LockHolder& holder) {
    const std::lock_guard lock(sessions_mutex);
    const auto known = sessions().find(slot);
    return known != sessions().end() && !known->second.lives && known->second.holder == holder;
}

bool try_group_lock(sql::Connection& connection, const std::string& slot) {
    return take_lock(connection, LockKey(slot));
}

// The conditions are part of the statement that ends it, so that a later process with the same number is spared.
bool end_lock_holder(sql::Connection& connection, const std::string& slot, const LockHolder& holder) {
    if (find_lock_holder(connection, slot) != holder) return false;
    const auto found = connection.query(
        "SELECT pg_catalog.pg_terminate_backend(a.pid, 5000) FROM pg_catalog.pg_stat_activity a "
        "WHERE a.pid = $1::pg_catalog.int4 AND a.backend_start::pg_catalog.text = $2 AND a.usename = SESSION_USER "
        "AND a.application_name = pg_catalog.current_setting('application_name')",
        {sql::Param(holder.pid), sql::Param(holder.since)}, {1, 0, 1});
    return found.rows() == 1;
}

GroupLock::GroupLock(sql::Connection& connection, std::string slot) : slot_(std::move(slot)) {
    const LockKey key(slot_);
    // The backend of a replicator that has just ended holds its lock a little longer.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    while (!take_lock(connection, key)) {
        if (std::chrono::steady_clock::now() < deadline) {
            connection.wait(false, 50);
            continue;
        }
        const auto holder = find_lock_holder(connection, slot_);
        if (holder && end_leftover(connection, slot_, *holder) && take_lock(connection, key)) break;
        throw retry_error(
            fmt::format("unable to replicate with slot '{}': another replicator of the group is running{}", slot_,
                        holder ? fmt::format(" (server process {})", holder->pid) : ""),
            "Run one replicator per group; end the other one first.");
    }
    const auto self = find_lock_holder(connection, slot_);
    const std::lock_guard lock(sessions_mutex);
    if (!self) return;
    self_ = *self;
    sessions()[slot_] = {*self, true};
}

GroupLock::~GroupLock() {
    const std::lock_guard lock(sessions_mutex);
    sessions()[slot_].lives = false;
}

}  // namespace pgsluice
