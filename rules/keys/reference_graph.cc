#include "rules/keys/reference_graph.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgsluice::rules {

std::string ReferencedColumn::text() const { return fmt::format("{}.{}.{}", table.schema, table.table, column); }

std::string ForeignKey::text() const {
    std::string columns;
    for (const Part& part : parts) columns += (columns.empty() ? "" : ", ") + part.column;
    return fmt::format("{}.{} ({})", table.schema, table.table, columns);
}

bool is_or_is_below(const Relation& relation, const QualifiedName& table) {
    return (relation.schema == table.schema && relation.table == table.table) ||
           std::ranges::find(relation.ancestors, table) != relation.ancestors.end();
}

ReferenceGraph::ReferenceGraph(std::span<const ColumnReference> references, std::span<const RelationPtr> tables) {
    for (const ColumnReference& one : references) {
        auto& to = references_[name(one.table)][one.column];
        const bool known = std::ranges::any_of(to, [&](const ReferencedColumn& other) {
            return other.table == one.to_table && other.column == one.to_column;
        });
        if (!known) to.push_back({one.to_table, one.to_column, one.same_type});
        add_part(one);
    }
    for (const RelationPtr& table : tables) {
        ancestors_[{table->schema, table->table}] = table->ancestors;
        for (auto above = table->ancestors.begin(); above != table->ancestors.end(); ++above) {
            ancestors_.try_emplace(name(*above), above + 1, table->ancestors.end());
            below_[name(*above)].insert({table->schema, table->table});
        }
    }
}

void ReferenceGraph::add_part(const ColumnReference& one) {
    auto key = std::ranges::find_if(foreign_keys_, [&](const ForeignKey& other) {
        return !one.constraint.empty() && other.name == one.constraint && other.table == one.table &&
               other.to == one.to_table;
    });
    if (key == foreign_keys_.end())
        key = foreign_keys_.insert(key, ForeignKey{one.table, one.to_table, one.constraint, {}});
    key->parts.push_back({one.column, {one.to_table, one.to_column, one.same_type}});
}

std::vector<QualifiedName> ReferenceGraph::referring_tables() const {
    std::vector<QualifiedName> tables;
    for (const auto& [table, columns] : references_)
        if (ancestors_.contains(table)) tables.push_back({table.first, table.second});
    std::ranges::stable_sort(tables, {}, [this](const QualifiedName& table) { return ancestors(table).size(); });
    return tables;
}

std::vector<std::string> ReferenceGraph::referring_columns(const QualifiedName& table) const {
    std::vector<std::string> columns;
    if (const auto found = references_.find(name(table)); found != references_.end())
        for (const auto& [column, to] : found->second) columns.push_back(column);
    return columns;
}

const std::vector<ReferencedColumn>& ReferenceGraph::referenced_by(const QualifiedName& table,
                                                                   const std::string& column) const {
    static const std::vector<ReferencedColumn> none;
    const auto found = references_.find(name(table));
    if (found == references_.end()) return none;
    const auto to = found->second.find(column);
    return to == found->second.end() ? none : to->second;
}

std::vector<QualifiedName> ReferenceGraph::ancestors(const QualifiedName& table) const {
    const auto found = ancestors_.find(name(table));
    return found == ancestors_.end() ? std::vector<QualifiedName>{} : found->second;
}

std::vector<QualifiedName> ReferenceGraph::below(const QualifiedName& table) const {
    std::vector<QualifiedName> tables;
    if (const auto found = below_.find(name(table)); found != below_.end())
        for (const auto& [schema, partition] : found->second) tables.push_back({schema, partition});
    return tables;
}

Relation ReferenceGraph::as_relation(const QualifiedName& table) const {
    Relation relation;
    relation.schema = table.schema;
    relation.table = table.table;
    relation.ancestors = ancestors(table);
    return relation;
}

}  // namespace pgsluice::rules
