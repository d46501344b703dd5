// What the source committed, as PostgreSQL's own test_decoding tells it: the yardstick for sinks that deliver changes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sql/lsn.h"
#include "tests/support/postgres_server.h"

namespace pgsluice::test {

// One change, as far as it can be compared with a sink's line.
struct CommittedChange {
    std::uint32_t xid = 0;
    std::string table;     // of schema public
    std::string type;      // INSERT, UPDATE, DELETE, TRUNCATE
    std::int64_t key = 0;  // the first column's value, of the new row if there is one; 0 for TRUNCATE
    bool operator==(const CommittedChange&) const = default;
};

std::string to_string(const CommittedChange& change);

class SourceLog {
   public:
    // Begins now: with what is committed from here on.
    SourceLog(PostgresServer& server, std::string database);

    // Reads what has been committed since.
    void read();
    // No change committed before this LSN is there.
    [[nodiscard]] Lsn begin() const { return begin_; }
    // All so far, in commit order.
    [[nodiscard]] const std::vector<CommittedChange>& changes() const { return changes_; }

   private:
    PostgresServer& server_;
    std::string database_;
    Lsn begin_;
    std::string last_commit_ = "0/0";  // LSN of the last transaction taken
    std::vector<CommittedChange> changes_;
};

}  // namespace pgsluice::test
