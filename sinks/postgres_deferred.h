// Checks deferrable unique and exclusion constraints before a commit, because with session_replication_role = replica
// the server does not: their check is a trigger, and a duplicate would be committed without a word.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sinks/postgres_plans.h"
#include "sql/connection.h"
#include "stream/log.h"

namespace pgsluice {

class PostgresDeferred {
   public:
    // How many rows of a transaction are remembered per constraint; beyond it all of the table is checked.
    static constexpr std::size_t max_rows = 100000;

    explicit PostgresDeferred(const Log& log) : log_(log) {}

    // Remembers what the constraints of its table say about the change's new row.
    void note(const std::shared_ptr<PostgresPlan>& plan, const Change& change);
    // In the open transaction; a stop Error naming the constraint that does not hold. Forgets what was noted.
    void check(sql::Connection& connection);
    void clear() { noted_.clear(); }
    [[nodiscard]] bool empty() const noexcept { return noted_.empty(); }

   private:
    struct Noted {
        std::shared_ptr<PostgresPlan> plan;
        std::vector<int> columns;                      // of the relation
        std::vector<std::vector<std::string>> values;  // per column
        bool all = false;                              // too many: check the table
    };
    using Key = std::pair<const PostgresPlan*, const TargetIndex*>;

    Noted* noted_for(const std::shared_ptr<PostgresPlan>& plan, const TargetIndex& index);

    const Log& log_;
    std::map<Key, Noted> noted_;
    std::map<std::string, bool> unchecked_;  // constraints we cannot check; said once
};

}  // namespace pgsluice
