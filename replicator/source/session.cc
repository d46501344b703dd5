#include "replicator/source/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "sql/error.h"

namespace pgsluice {

namespace {

constexpr int oldest_version = 140000;

// Advisory lock keys are two integers: "pgsl", and a hash of the slot's name (FNV-1a) that no version changes.
constexpr std::int32_t lock_class = 0x7067736C;

std::int32_t hash(std::string_view text) {
    std::uint32_t value = 2166136261U;
    for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 16777619U;
    return static_cast<std::int32_t>(value);
}

std::string setting(sql::Connection& connection, std::string_view name) {
    return connection.query("SELECT pg_catalog.current_setting($1)", {sql::Param(name)}, {1, 1, 1}).text(0, 0);
}

// A backend that holds a group's lock; the time tells it from a later one of the same number.
struct Holder {
    std::string pid;
    std::string since;
    bool operator==(const Holder&) const = default;
};

// This process's last holder for each slot, and whether its session is still running.
struct LockSession {
    Holder holder;
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

std::optional<Holder> find_holder(sql::Connection& connection, const LockKey& key) {
    const auto found = connection.query(
        "SELECT l.pid, coalesce(a.backend_start::pg_catalog.text, '') FROM pg_catalog.pg_locks l "
        "LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid "
        "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 "
        "AND l.classid = $1::pg_catalog.oid AND l.objid = ($2::pg_catalog.int8 & 4294967295)::pg_catalog.oid "
        "AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) "
        "LIMIT 1",
        key.params(), {2, 0, 1});
    if (found.rows() == 0) return std::nullopt;
    return Holder{found.text(0, 0), found.text(0, 1)};
}

// Whether the holder was left by an earlier session of ours and is gone now.
bool end_leftover(sql::Connection& connection, const std::string& slot, const Holder& holder) {
    {
        const std::lock_guard lock(sessions_mutex);
        const auto known = sessions().find(slot);
        if (known == sessions().end() || known->second.lives || known->second.holder != holder) return false;
    }
    return connection
        .query("SELECT pg_catalog.pg_terminate_backend($1::pg_catalog.int4, 5000)", {sql::Param(holder.pid)}, {1, 1, 1})
        .boolean(0, 0);
}

}  // namespace

sql::Connection connect_source(const sql::ConnectOptions& options, std::stop_token stop) {
    return sql::Connection(options, std::move(stop));
}

sql::ReplicationConnection connect_replication(const sql::ConnectOptions& options, std::stop_token stop) {
    return sql::ReplicationConnection(options, std::move(stop));
}

void raise_decoding_memory(sql::Connection& connection, std::uint64_t bytes) {
    if (bytes == 0) return;
    connection.exec(
        fmt::format("SELECT pg_catalog.set_config(name, '{0}', false) FROM pg_catalog.pg_settings "
                    "WHERE name = 'logical_decoding_work_mem' AND setting::pg_catalog.int8 < {0}",  // both in table_b
                    std::max<std::uint64_t>(bytes / 1024, 64)),
        "prepare a session on the source");
}

void check_version(sql::Connection& connection) {
    if (connection.server_version() >= oldest_version) return;
    throw stop_error(fmt::format("unable to use source '{}': it runs PostgreSQL {}",
                                 sql::describe(connection.options()), setting(connection, "server_version")),
                     "PostgreSQL 14 or later is needed.");
}

void check_primary(sql::Connection& connection) {
    if (!connection.query("SELECT pg_catalog.pg_is_in_recovery()", {}, {1, 1, 1}).boolean(0, 0)) return;
    // As it would answer itself to the first statement that writes.
    throw SqlError(Action::retry,
                   fmt::format("unable to use source '{}': it is a standby", sql::describe(connection.options())),
                   "25006", "Connect to the primary: publications and slots are made there.");
}

void check_wal_level(sql::Connection& connection) {
    const std::string wal_level = setting(connection, "wal_level");
    if (wal_level == "logical") return;
    throw stop_error(fmt::format("unable to use source '{}': its wal_level is '{}', not 'logical'",
                                 sql::describe(connection.options()), wal_level),
                     "Run ALTER SYSTEM SET wal_level = logical on the source and restart it.");
}

void check_source(sql::Connection& connection) {
    check_version(connection);
    check_primary(connection);
    check_wal_level(connection);
}

void check_free_slot(sql::Connection& connection) {
    const auto counts = connection.query(
        "SELECT count(*), pg_catalog.current_setting('max_replication_slots')::pg_catalog.int8 "
        "FROM pg_catalog.pg_replication_slots",
        {}, {2, 1, 1});
    if (counts.integer(0, 0) < counts.integer(0, 1)) return;
    throw stop_error(fmt::format("unable to create a replication slot: all {} are in use", counts.integer(0, 1)),
                     "Drop a slot that is no longer needed (SELECT pg_drop_replication_slot('name')) or raise "
                     "max_replication_slots and "
                     "restart the source.");
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
        const auto holder = find_holder(connection, key);
        if (holder && end_leftover(connection, slot_, *holder) && take_lock(connection, key)) break;
        throw retry_error(
            fmt::format("unable to replicate with slot '{}': another replicator of the group is running{}", slot_,
                        holder ? fmt::format(" (server process {})", holder->pid) : ""),
            "Run one replicator per group; end the other one first.");
    }
    const auto self = find_holder(connection, key);
    const std::lock_guard lock(sessions_mutex);
    if (self) sessions()[slot_] = {*self, true};
}

GroupLock::~GroupLock() {
    const std::lock_guard lock(sessions_mutex);
    sessions()[slot_].lives = false;
}

Lsn wal_end(sql::Connection& connection) {
    const auto lsn = parse_lsn(connection.query("SELECT pg_catalog.pg_current_wal_lsn()", {}, {1, 1, 1}).text(0, 0));
    if (!lsn) throw std::logic_error("pg_current_wal_lsn() gave something that is no LSN");
    return *lsn;
}

std::chrono::milliseconds wal_sender_timeout(sql::Connection& connection) {
    const auto found = connection.query(
        "SELECT setting::pg_catalog.int8 FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'", {}, {1, 1, 1});
    return std::chrono::milliseconds(found.integer(0, 0));
}

}  // namespace pgsluice
