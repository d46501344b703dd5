#include "replicator/source/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "replicator/source/recovery.h"
#include "sql/error.h"

namespace pgsluice {

namespace {

constexpr int oldest_version = 140000;

std::string setting(sql::Connection& connection, std::string_view name) {
    return connection.query("SELECT pg_catalog.current_setting($1)", {sql::Param(name)}, {1, 1, 1}).text(0, 0);
}

}  // namespace

sql::Connection connect_source(const sql::ConnectOptions& options, std::stop_token stop) {
    return sql::Connection(options, std::move(stop));
}

sql::ReplicationConnection connect_replication(const sql::ConnectOptions& options, std::stop_token stop) {
    return sql::ReplicationConnection(options, std::move(stop));
}

namespace {

// The setting is in kB, and the server takes no less.
std::uint64_t decoding_memory(std::uint64_t bytes) { return std::max<std::uint64_t>(bytes / 1024, 64); }

}  // namespace

void set_decoding_memory(sql::Connection& connection, std::uint64_t bytes) {
    connection.exec(
        fmt::format("SELECT pg_catalog.set_config('logical_decoding_work_mem', '{}', false)", decoding_memory(bytes)),
        "prepare a session on the source");
}

void raise_decoding_memory(sql::Connection& connection, std::uint64_t bytes) {
    if (bytes == 0) return;
    connection.exec(
        fmt::format("SELECT pg_catalog.set_config(name, '{0}', false) FROM pg_catalog.pg_settings "
                    "WHERE name = 'logical_decoding_work_mem' AND setting::pg_catalog.int8 < {0}",  // both in table_b
                    decoding_memory(bytes)),
        "prepare a session on the source");
}

void check_version(sql::Connection& connection) {
    if (connection.server_version() >= oldest_version) return;
    throw stop_error(fmt::format("unable to use source '{}': it runs PostgreSQL {}",
                                 sql::describe(connection.options()), setting(connection, "server_version")),
                     "PostgreSQL 14 or later is needed.");
}

void check_wal_level(sql::Connection& connection) {
    const std::string wal_level = setting(connection, "wal_level");
    if (wal_level == "logical") return;
    throw stop_error(fmt::format("unable to use source '{}': its wal_level is '{}', not 'logical'",
                                 sql::describe(connection.options()), wal_level),
                     "Run ALTER SYSTEM SET wal_level = logical on the source and restart it.");
}

void check_source(sql::Connection& connection, bool from_standby) {
    check_version(connection);
    check_primary(connection, from_standby);
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

Lsn wal_end(sql::Connection& connection) {
    const auto lsn = parse_lsn(connection.query(fmt::format("SELECT {}", wal_end_sql), {}, {1, 1, 1}).text(0, 0));
    if (!lsn) throw std::logic_error("pg_current_wal_lsn() gave something that is no LSN");
    return *lsn;
}

std::chrono::milliseconds wal_sender_timeout(sql::Connection& connection) {
    const auto found = connection.query(
        "SELECT setting::pg_catalog.int8 FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'", {}, {1, 1, 1});
    return std::chrono::milliseconds(found.integer(0, 0));
}

}  // namespace pgsluice
