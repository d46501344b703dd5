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

// PostgreSQL 14 or later, not in recovery, wal_level logical: each its own stop Error.
void check_version(sql::Connection& connection);
void check_primary(sql::Connection& connection);
void check_wal_level(sql::Connection& connection);
// All of these.
void check_source(sql::Connection& connection);
// A stop Error when no slot is free.
void check_free_slot(sql::Connection& connection);
Lsn wal_end(sql::Connection& connection);
// 0 when there is none.
std::chrono::milliseconds wal_sender_timeout(sql::Connection& connection);

}  // namespace pgsluice
