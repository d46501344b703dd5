// How the replicator's connections to the source are set up, and what it demands of the source before it touches it.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "sql/connection.h"
#include "sql/replication.h"

namespace pgsluice {

// No timeouts, which an administrator may have set low; an empty search_path, so that regclass and the like are the
// same text everywhere; row security not applied in silence: a COPY it would shorten fails instead.
void prepare_source_session(sql::Connection& connection);

sql::Connection connect_source(const sql::ConnectOptions& options, std::stop_token stop);
// A stop Error with the way out when the role may not replicate.
sql::ReplicationConnection connect_replication(const sql::ConnectOptions& options, std::stop_token stop);

// PostgreSQL 14 or later, not in recovery, wal_level logical: each its own stop Error.
void check_source(sql::Connection& connection);
// A stop Error when no slot is free.
void check_free_slot(sql::Connection& connection);
// Taken for the connection's life, so that two replicators of one group do not undo each other's slots. A retry Error
// naming the holder when another has it.
void lock_group(sql::Connection& connection, const std::string& slot);

Lsn wal_end(sql::Connection& connection);
// 0 when there is none.
std::chrono::milliseconds wal_sender_timeout(sql::Connection& connection);

// Whom a backend of the source waits for, for the log: "pid 4711 (psql, idle in transaction since ...)"; never a
// query's text. Empty when it waits for nobody.
std::string describe_blockers(sql::Connection& connection, int waiting_pid);

}  // namespace pgsluice
