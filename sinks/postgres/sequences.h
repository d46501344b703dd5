// Keeps the sequences of the target's columns level with its rows, so that a target that takes over can take writes.
//
// Replication does not move sequences: a serial or identity column would start again at 1. The rows themselves say how
// far a sequence must be, and an index on the column makes that a cheap question.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>

#include "sql/connection.h"
#include "stream/log.h"

namespace pgsluice {

class PostgresSequences {
   public:
    using Deadline = std::chrono::steady_clock::time_point;

    PostgresSequences(sql::Connection& connection, const Log& log) : connection_(connection), log_(log) {}

    // For each of these tables (quoted and qualified): a sequence of its columns, its own or one that a partition has
    // from its parents, that lags the column's outermost value is set to it, plus headroom. Never moves one back.
    // Outside a transaction. What is not done by the deadline is left out; false then.
    bool follow(const std::set<std::string>& tables, std::int64_t headroom, Deadline deadline = Deadline::max());

   private:
    struct Owned {
        std::string sequence;  // quoted and qualified
        std::string table;     // that was written
        std::string column;    // quoted
        bool ascending;
    };
    void follow(const Owned& owned, std::int64_t headroom);

    sql::Connection& connection_;
    const Log& log_;
    std::set<std::string> refused_;  // sequences we could not set; said once
};

}  // namespace pgsluice
