// What foreign keys make of a rules file: a column that refers to one with transforms has the same ones, so that what
// is hidden of a key does not come by those who refer to it, and joins hold. Where that cannot be, it is refused.
//
// Keys are those of the source's catalog; nothing is concluded from names.
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rules/keys/reference_graph.h"
#include "rules/rule.h"
#include "sql/error.h"
#include "stream/column_reference.h"

namespace pgsluice::rules {

// Of the tables that are replicated.
struct ForeignKeys {
    std::vector<ColumnReference> references;
    std::vector<RelationPtr> tables;
};

// A column that refers to others.
struct ReferringColumn {
    enum class Goes {
        as_it_is,    // neither side has a rule
        inherited,   // by the other side's rules
        same_rules,  // by rules of its own, which are the other side's
        own_way,     // by rules of its own: it is left out, or NULL, or allow_key_mismatch says so
        refused,
    };
    QualifiedName table;
    std::string column;
    std::vector<ReferencedColumn> to{};
    Goes goes = Goes::as_it_is;
    std::string rules{};    // that it goes by: "HMAC-SHA-256, 32 digits"
    std::string problem{};  // why it is refused
    std::string sample{};   // of rows that are kept by its value, as what it refers to: "a sample of 5 percent"
    bool follows = false;   // rows that it refers to, and that a sample leaves out, are those that none kept refers to
};

struct FollowedKey;

class InheritedRules {
   public:
    InheritedRules(const RulesFile& file, const ForeignKeys& keys, const std::vector<Route>& routes = {});

    // The file, and what is inherited.
    [[nodiscard]] const RulesFile& file() const { return file_; }
    [[nodiscard]] const std::vector<ReferringColumn>& columns() const { return columns_; }
    // A usage Error where the table, or one above it, has a column that is refused.
    void check(const Relation& table) const;

   private:
    class Decide;
    void inherit_samples(const ReferenceGraph& graph, std::span<const RelationPtr> tables,
                         const std::vector<Route>& routes);
    static void note(const FollowedKey& key, ReferringColumn& one);

    RulesFile file_;
    std::vector<ReferringColumn> columns_;
    std::map<std::pair<std::string, std::string>, Error> refused_;  // by table
};

}  // namespace pgsluice::rules
