// What makes a target ready for its application. Every step may be repeated: it does what is not done yet.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cmd/cutover/moved_tables.h"
#include "sql/connection.h"

namespace pgsluice {

// `tables` are the target's, quoted and qualified.

// A stop Error when the current role has not the rights of one of the tables' owner, or of the worker's role.
void require_may_finish(sql::Connection& target, std::span<const std::string> tables);
// Enables triggers that are disabled and not so on the source. Returns their names, with their tables'.
std::vector<std::string> enable_triggers(sql::Connection& source, sql::Connection& target,
                                         std::span<const TablePair> tables);
// Foreign keys, checks and NOT NULL that are NOT VALID and not so on the source.
struct Validated {
    std::vector<std::string> valid;    // now
    std::vector<std::string> refused;  // rows break them: each with PostgreSQL's reason
};
Validated validate_constraints(sql::Connection& source, sql::Connection& target, std::span<const TablePair> tables);
// Those of the sequences that the target does not have.
std::vector<std::string> missing_sequences(sql::Connection& target, std::span<const std::string> sequences);
void analyze(sql::Connection& target, std::span<const std::string> tables);

}  // namespace pgsluice
