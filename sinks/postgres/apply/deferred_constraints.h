// Checks deferred constraints before a commit. With session_replication_role = replica the server does not look at
// deferrable unique and exclusion constraints: their check is a trigger, and a duplicate would be committed silently.
// So the rows written are remembered and checked. Without it the server checks all of them itself.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sinks/postgres/session.h"
#include "sinks/postgres/target_mappings.h"
#include "stream/base/log.h"

namespace pgsluice {

class DeferredConstraints {
   public:
    // How many rows of a transaction are remembered per constraint; beyond it all of the table is checked.
    static constexpr std::size_t max_rows = 100000;

    explicit DeferredConstraints(const Log& log) : log_(log) {}

    // Remembers what finds the change's new row.
    void note(const std::shared_ptr<TargetMapping>& mapping, const Change& change);
    // Whether there may be something to check.
    [[nodiscard]] bool pending(const PostgresSession& session) const noexcept {
        return !session.replica || !noted_.empty();
    }
    // In the open transaction; an SqlError naming the constraint that does not hold.
    void check(PostgresSession& session) const;
    void clear() { noted_.clear(); }

   private:
    struct Noted {
        std::shared_ptr<TargetMapping> mapping;
        std::vector<int> columns;                      // of the relation: what finds a row
        std::vector<std::string> equals;               // per column
        std::vector<std::vector<std::string>> values;  // per column
        bool all = false;                              // too many, or nothing finds them: check the table
    };
    using Key = std::pair<const TargetMapping*, const TargetIndex*>;

    static std::string query(const Noted& noted, const TargetIndex& index);
    Noted* noted_for(const std::shared_ptr<TargetMapping>& mapping, const TargetIndex& index);

    const Log& log_;
    std::map<Key, Noted> noted_;
    std::map<std::string, bool> unchecked_;  // constraints we cannot check; said once
};

}  // namespace pgsluice
