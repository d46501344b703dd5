// Lets the sequences behind the target's columns follow the rows, so that a target that takes over can take writes.
//
// Replication does not move sequences: a serial or identity column would start again at 1. The rows themselves say how
// far a sequence must be, and an index on the column makes that a cheap question.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sql/connection.h"
#include "stream/log.h"

namespace pgsluice {

class PostgresSequences {
   public:
    PostgresSequences(sql::Connection& connection, const Log& log) : connection_(connection), log_(log) {}

    // For each of these tables (quoted and qualified): a sequence that is behind its column's largest value is set to
    // it, plus headroom. Never moves one back. Outside a transaction.
    void follow(const std::set<std::string>& tables, std::int64_t headroom);

   private:
    struct Owned {
        std::string sequence;  // quoted and qualified
        std::string column;    // quoted
    };
    const std::vector<Owned>& owned_by(const std::string& table);

    sql::Connection& connection_;
    const Log& log_;
    std::map<std::string, std::vector<Owned>> owned_;
    std::set<std::string> refused_;  // sequences we may not set; said once
};

}  // namespace pgsluice
