// What samples of rows make of the tables that refer to sampled ones: a row is kept if, and only if, the rows that it
// refers to are. That is known from the row alone: its foreign key holds the value that the sample judges. Where it
// does not hold that value, the table is refused, for a kept row could refer to one that is left out.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rules/keys/reference_graph.h"
#include "rules/rule.h"
#include "sql/error.h"

namespace pgsluice::rules {

// A foreign key of a table that is sampled, or that refers to one.
struct FollowedKey {
    ForeignKey key;
    std::map<std::string, std::string> samples{};  // by its columns, as Sampling::describe()
    bool follows = false;                          // what it refers to is there
    std::optional<Error> problem{};

    [[nodiscard]] bool concerns(const QualifiedName& table, const std::string& column) const;
    // Empty where rows are not kept by this column.
    [[nodiscard]] std::string sample_of(const std::string& column) const;
};

class InheritedSamples {
   public:
    // Adds what is inherited to `file`. `routes` may leave rows out, too.
    InheritedSamples(RulesFile& file, const ReferenceGraph& graph, std::span<const RelationPtr> tables,
                     const std::vector<Route>& routes);

    [[nodiscard]] const std::vector<FollowedKey>& keys() const { return keys_; }

   private:
    [[nodiscard]] std::vector<Rule> samples_of(const QualifiedName& table) const;
    [[nodiscard]] bool need_not_hold(const ForeignKey& key) const;
    bool inherit(const ForeignKey& key);
    void report(const ForeignKey& key);
    void check(const ForeignKey& key, std::span<const Rule> samples) const;
    void check_partitions(const ForeignKey& key, std::span<const Rule> samples) const;
    void check_types(const ForeignKey& key, const ForeignKey::Part& part, const Place& place) const;
    void check_filters(const ForeignKey& key, const Place& place) const;
    [[nodiscard]] const Column* column(const QualifiedName& table, const std::string& name) const;
    [[nodiscard]] bool is_filtered(const QualifiedName& table) const;

    RulesFile& file_;
    const ReferenceGraph& graph_;
    const std::span<const RelationPtr> tables_;
    const std::vector<Route>& routes_;
    std::vector<FollowedKey> keys_;
};

}  // namespace pgsluice::rules
