// Keeps everybody from writing to some tables, and lets them again.
//
// Each table, and each above it that rows reach it through, gets a trigger for statements that raises an error with
// SQLSTATE 25006 (read_only_sql_transaction). Revoked privileges would not do: superusers have them all, and what had
// been granted by whom could not be put back exactly. default_transaction_read_only would not either: each session may
// set it off, and it leaves those that are connected. The triggers of all tables are made in one transaction, and are
// found in the catalog, whatever died. Their function is replaced by one that does nothing to allow writes again, which
// needs no lock on a table: one that is read for hours could not be had.
//
// Not kept out is what writes with session_replication_role = replica: native subscriptions, and workers, such as
// that of the group that leads back.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "sql/connection.h"
#include "stream/change.h"

namespace pgsluice {

// The tables and those above them (partitioned tables, parents), quoted and qualified.
std::vector<std::string> with_tables_above(sql::Connection& connection, std::span<const Oid> tables);

// A stop Error when the current role may not do it to one of the tables.
void require_may_stop_writes(sql::Connection& connection, std::span<const std::string> tables);

// When it returns, no transaction that has written to one of the tables is open, and none can write. A stop Error when
// that was not possible within `limit`; nothing is done then.
void stop_writes(sql::Connection& connection, std::span<const std::string> tables, const std::string& group,
                 std::chrono::milliseconds limit);
// By the group's cutover, quoted and qualified.
std::vector<std::string> tables_stopped_by(sql::Connection& connection, const std::string& group);
// Those of them that do not refuse writes.
std::vector<std::string> tables_open_to_writes(sql::Connection& connection, std::span<const std::string> tables);
// Whichever group's cutover stopped it. Returns how many of the tables refused writes before. What is left of a trigger
// whose table is read meanwhile does nothing.
std::size_t allow_writes(sql::Connection& connection, std::span<const std::string> tables);

}  // namespace pgsluice
