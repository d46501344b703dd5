// The source's foreign keys, as far as they count in this session: those of its start, and those of tables and columns
// that came since.
//
// A key that was added to a column whose rows have already come does not count: these rows are there without the rules
// that it would bring. A key that was dropped is not forgotten.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rules/keys/inherited_rules.h"

namespace pgsluice::rules {

class KnownKeys {
   public:
    // All that there are now.
    using Look = std::function<std::vector<ColumnReference>()>;

    void begin(ForeignKeys keys, Look look);
    // Rows of this definition are about to come. Whether more is known now of tables with keys.
    bool meet(const RelationPtr& relation);
    [[nodiscard]] const ForeignKeys& all() const { return keys_; }

   private:
    using Name = std::pair<std::string, std::string>;
    void note(const RelationPtr& table);
    void add(ColumnReference reference);
    [[nodiscard]] bool concerns(const Relation& table) const;

    ForeignKeys keys_;
    Look look_;
    std::map<Oid, std::set<std::string>> columns_;  // of the tables that are known
    std::set<Name> names_;                          // of these, and of the tables above them
};

}  // namespace pgsluice::rules
