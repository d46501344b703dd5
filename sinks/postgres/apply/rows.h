// Applies changes one by one, in source order, looking at each outcome. Slow and always right: what the set-based way
// falls back to, and what decides about rows that are not as the source thinks.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sinks/options.h"
#include "sinks/postgres/history/versions.h"
#include "sinks/postgres/rights/emptying.h"
#include "sinks/postgres/session.h"
#include "sinks/postgres/statements.h"
#include "sinks/postgres/target_mappings.h"
#include "stream/base/log.h"

namespace pgsluice {

// Rows that were not as the source thinks, since the start.
struct ConflictCounts {
    std::uint64_t upserted = 0;          // an insert found its key and updated the row
    std::uint64_t ignored = 0;           // ... or left it, with --on-conflict ignore
    std::uint64_t inserted_missing = 0;  // an update found no row and inserted it
    std::uint64_t deleted_missing = 0;   // a delete found no row
    std::uint64_t parked = 0;            // changes in the dead letters

    bool operator==(const ConflictCounts&) const = default;
};

// An update whose row the target lacks, and which does not hold all of it.
struct MissingRow : Error {
    using Error::Error;
};

// Whether the change itself is at fault, not the target's or the connection's state, in which any change would fail:
// only such a one may be parked.
bool is_fault_of_change(const Error& error);

// The way out of the server's refusal of a row.
inline constexpr const char* refused_row_hint =
    "Change what refuses it on the target (the message names it), or start the worker with --on-error dead-letter, "
    "which parks such changes.";

class PostgresRows {
   public:
    PostgresRows(PostgresSession& session, TargetMappings& mappings, const PostgresSinkOptions& options, const Log& log)
        : session_(session), mappings_(mappings), options_(options), log_(log) {}

    // Finds out as whom to write to the tables. In the open transaction.
    void look_at_tables(const std::vector<Change>& changes);
    // In the open transaction. Throws what the row or the connection gave; the message names table and key.
    void write(const Change& change, ConflictCounts& counts);
    // The server's error with the change's table and key, and with a way out.
    SqlError refused(const Change& change, const SqlError& error);

   private:
    void insert(const TargetMapping& mapping, const Change& change, ConflictCounts& counts);
    void insert_over(const TargetMapping& mapping, const Change& change, ConflictCounts& counts);
    void update(const TargetMapping& mapping, const Change& change, ConflictCounts& counts);
    // Deletes the row, if it exists, and inserts it again.
    bool replace(const TargetMapping& mapping, const ColumnSet& sent, const Change& change);
    void remove(const TargetMapping& mapping, const Change& change, ConflictCounts& counts);
    void write_version(const TargetMapping& mapping, const Change& change);
    void truncate(const Change& change);
    struct Outcome {
        std::int64_t rows = 0;              // touched
        std::optional<std::int64_t> value;  // an upsert's answer
    };
    Outcome run(const TargetMapping& mapping, const Statement& statement, const Change& change);
    Outcome run(const TargetMapping& mapping, const Statement& statement, Row row, Row key_row);
    Outcome run(const TargetMapping& mapping, const Statement& statement);  // with params_

    PostgresSession& session_;
    TargetMappings& mappings_;
    const PostgresSinkOptions& options_;
    const Log& log_;
    std::vector<sql::Param> params_;
    Versions versions_;
};

// What it means for those of them whose history is kept: statements.
std::vector<std::pair<const TargetMapping*, std::string>> truncated_versions(TargetMappings& mappings,
                                                                             const Change& change);
// What a TRUNCATE of these relations means for the others: all rows of the tables, or those of this worker.
std::vector<EmptiedTable> truncated_tables(TargetMappings& mappings, const Change& change);

}  // namespace pgsluice
