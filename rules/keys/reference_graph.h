// Which columns refer to which, by the source's foreign keys, and which tables lie above which.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "stream/column_reference.h"

namespace pgsluice::rules {

struct ReferencedColumn {
    QualifiedName table;
    std::string column;
    bool same_type = true;  // as the column that refers

    // "public.users.id"
    [[nodiscard]] std::string text() const;
};

// One constraint.
struct ForeignKey {
    QualifiedName table;
    QualifiedName to;
    std::string name;  // empty where it is not known; then it has one column
    struct Part {
        std::string column;
        ReferencedColumn to;
    };
    std::vector<Part> parts;

    // "public.orders (customer_id)"
    [[nodiscard]] std::string text() const;
};

// A partition lies below its table, what inherits below its parent.
[[nodiscard]] bool is_or_is_below(const Relation& relation, const QualifiedName& table);

class ReferenceGraph {
   public:
    ReferenceGraph(std::span<const ColumnReference> references, std::span<const RelationPtr> tables);

    // That are replicated, or lie above one that is; those above come first.
    [[nodiscard]] std::vector<QualifiedName> referring_tables() const;
    [[nodiscard]] std::vector<std::string> referring_columns(const QualifiedName& table) const;
    [[nodiscard]] const std::vector<ReferencedColumn>& referenced_by(const QualifiedName& table,
                                                                     const std::string& column) const;
    [[nodiscard]] const std::vector<ForeignKey>& foreign_keys() const { return foreign_keys_; }
    // The same: whether some of them are replicated.
    [[nodiscard]] bool is_replicated(const QualifiedName& table) const { return ancestors_.contains(name(table)); }
    // Nearest first; none where the table is not known.
    [[nodiscard]] std::vector<QualifiedName> ancestors(const QualifiedName& table) const;
    // Those with rows of their own, at any depth.
    [[nodiscard]] std::vector<QualifiedName> below(const QualifiedName& table) const;
    // As rules are looked up for it.
    [[nodiscard]] Relation as_relation(const QualifiedName& table) const;

   private:
    using Name = std::pair<std::string, std::string>;
    using Columns = std::map<std::string, std::vector<ReferencedColumn>>;
    static Name name(const QualifiedName& table) { return {table.schema, table.table}; }

    void add_part(const ColumnReference& one);

    std::map<Name, Columns> references_;
    std::vector<ForeignKey> foreign_keys_;
    std::map<Name, std::vector<QualifiedName>> ancestors_;  // of all that are replicated
    std::map<Name, std::set<Name>> below_;                  // tables with rows of their own
};

}  // namespace pgsluice::rules
