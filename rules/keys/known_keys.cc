#include "rules/keys/known_keys.h"

#include <algorithm>

namespace pgsluice::rules {

void KnownKeys::begin(ForeignKeys keys, Look look) {
    look_ = std::move(look);
    if (keys_.references.empty())
        keys_.references = std::move(keys.references);
    else
        for (ColumnReference& one : keys.references) add(std::move(one));
    for (const RelationPtr& table : keys.tables) note(table);
}

bool KnownKeys::meet(const RelationPtr& relation) {
    if (!look_) return false;
    const std::set<std::string>& known = columns_[relation->oid];
    std::set<std::string> fresh;
    for (const Column& column : relation->columns)
        if (!known.contains(column.name)) fresh.insert(column.name);
    if (fresh.empty()) return false;
    const QualifiedName name{relation->schema, relation->table};
    for (ColumnReference& one : look_()) {
        const bool own = one.table == name && fresh.contains(one.column);
        const bool above = !names_.contains({one.table.schema, one.table.table}) &&
                           std::ranges::find(relation->ancestors, one.table) != relation->ancestors.end();
        if (own || above) add(std::move(one));
    }
    note(relation);
    return concerns(*relation);
}

bool KnownKeys::concerns(const Relation& table) const {
    const auto is_table = [&](const QualifiedName& name) {
        return (name.schema == table.schema && name.table == table.table) ||
               std::ranges::find(table.ancestors, name) != table.ancestors.end();
    };
    return std::ranges::any_of(
        keys_.references, [&](const ColumnReference& one) { return is_table(one.table) || is_table(one.to_table); });
}

void KnownKeys::note(const RelationPtr& table) {
    for (const Column& column : table->columns) columns_[table->oid].insert(column.name);
    names_.emplace(table->schema, table->table);
    for (const QualifiedName& above : table->ancestors) names_.emplace(above.schema, above.table);
    keys_.tables.push_back(table);
}

void KnownKeys::add(ColumnReference reference) {
    if (std::ranges::find(keys_.references, reference) == keys_.references.end())
        keys_.references.push_back(std::move(reference));
}

}  // namespace pgsluice::rules
