// How the replicator's connections to the source are set up, and what it requires of the source before it changes it.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

#include "sql/connection.h"
#include "sql/replication.h"

namespace pgsluice {

sql::Connection connect_source(const sql::ConnectOptions& options, std::stop_token stop);
// A stop Error with the way out when the role may not replicate.
sql::ReplicationConnection connect_replication(const sql::ConnectOptions& options, std::stop_token stop);

// Lets the walsender of this connection keep so much of what it decodes in memory before it spills large transactions
// to its disk (logical_decoding_work_mem). Never less than the server's own setting; 0 leaves that alone.
void raise_decoding_memory(sql::Connection& connection, std::uint64_t bytes);
// Makes it exactly so much, where what is larger is sent while it is running. The server takes no less than 64 kB.
void set_decoding_memory(sql::Connection& connection, std::uint64_t bytes);

// PostgreSQL 14 or later, wal_level logical: each its own stop Error.
void check_version(sql::Connection& connection);
void check_wal_level(sql::Connection& connection);
// Both, and check_primary() (recovery.h).
void check_source(sql::Connection& connection, bool from_standby);
// A stop Error when no slot is free.
void check_free_slot(sql::Connection& connection);
// How far the WAL can be read: as an expression, and asked for.
inline constexpr const char* wal_end_sql =
    "CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() "
    "ELSE pg_catalog.pg_current_wal_lsn() END";
Lsn wal_end(sql::Connection& connection);
// 0 when there is none.
std::chrono::milliseconds wal_sender_timeout(sql::Connection& connection);

}  // namespace pgsluice
