#include "replicator/tables/replicated.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "replicator/group_state.h"
#include "replicator/rules/source_rules.h"
#include "replicator/source/column_types.h"
#include "replicator/source/references.h"
#include "replicator/source/tables.h"
#include "stream/group/references.h"
#include "stream/group/tables.h"

namespace pgsluice {

namespace {

bool has_column(const Relation& relation, const std::string& name) {
    return std::ranges::find(relation.columns, name, &Column::name) != relation.columns.end();
}

}  // namespace

ReplicatedTables::ReplicatedTables(sql::Connection& source, std::span<const sql::CatalogTable> published,
                                   Broker& broker, const ReplicatorOptions& options, const SourceRules* rules)
    : source_(source), via_root_(options.publish_via_partition_root), rules_(rules) {
    ColumnTypes types(source);
    for (SourceTable& table : tables_to_copy(source, published, options.publish_via_partition_root, types))
        now_[table.relation.oid] = std::move(table.relation);
    references_ = references_of(source, now());
    const auto before = find_tables(broker, options.names).value_or(GroupTables{});
    for (const auto& tables : {before.former, before.now})
        for (Relation table : tables) {
            table.columns.clear();
            former_[table.oid] = std::move(table);
        }
    for (const auto& [oid, relation] : now_) former_.erase(oid);
    std::erase_if(former_, [this](const auto& one) { return comes_as_root(one.second); });
}

void ReplicatedTables::show(Broker& broker, const Names& names, const Log& log) const {
    show_references(broker, names, log);
    if (GroupState(broker, names).show_tables(encoded())) return;
    log(LogLevel::warning,
        fmt::format("the definitions of the {} tables do not fit into one message of the NATS server (max_payload {}): "
                    "workers check rules and routes only when they meet a table",
                    now_.size(), broker.max_payload()));
}

void ReplicatedTables::show_references(Broker& broker, const Names& names, const Log& log) const {
    if (remember_references(broker, names, shown_references())) return;
    log(LogLevel::warning,
        fmt::format("the {} columns of foreign keys do not fit into one message of the NATS server (max_payload {}): "
                    "workers do not know which columns refer to keys with rules",
                    references_.size(), broker.max_payload()));
}

// A copy of the root holds its rows, and no target has them under its name.
bool ReplicatedTables::comes_as_root(const Relation& relation) const {
    return via_root_ && std::ranges::any_of(relation.ancestors, [this](const QualifiedName& above) {
               return std::ranges::any_of(now_, [&](const auto& one) {
                   return one.second.schema == above.schema && one.second.table == above.table;
               });
           });
}

bool ReplicatedTables::update(const Relation& relation) {
    if (comes_as_root(relation)) return false;
    Relation& before = now_[relation.oid];
    if (before == relation) return false;
    before = relation;
    shown_.erase(relation.oid);
    references_ = references_of(source_, now());
    return true;
}

const std::optional<Relation>& ReplicatedTables::shown(const Relation& relation) const {
    const auto known = shown_.find(relation.oid);
    if (known != shown_.end()) return known->second;
    return shown_.emplace(relation.oid, rules_->shown(relation)).first->second;
}

bool ReplicatedTables::is_hidden(const QualifiedName& table, const std::string& column) const {
    return std::ranges::any_of(now_, [&](const auto& one) {
        const Relation& relation = one.second;
        const bool named = (relation.schema == table.schema && relation.table == table.table) ||
                           std::ranges::find(relation.ancestors, table) != relation.ancestors.end();
        if (!named || !has_column(relation, column)) return false;
        const auto& published = shown(relation);
        return !published || !has_column(*published, column);
    });
}

// Not of columns that the rules leave out.
std::vector<ColumnReference> ReplicatedTables::shown_references() const {
    if (rules_ == nullptr) return references_;
    std::vector<ColumnReference> kept;
    std::ranges::copy_if(references_, std::back_inserter(kept), [this](const ColumnReference& one) {
        return !is_hidden(one.table, one.column) && !is_hidden(one.to_table, one.to_column);
    });
    return kept;
}

std::set<Oid> ReplicatedTables::oids() const {
    std::set<Oid> oids;
    for (const auto& [oid, relation] : now_) oids.insert(oid);
    return oids;
}

std::vector<Relation> ReplicatedTables::now() const {
    std::vector<Relation> tables;
    for (const auto& [oid, relation] : now_) tables.push_back(relation);
    return tables;
}

// Of a table that the rules do not fit nothing is published, so nothing is shown.
std::string ReplicatedTables::encoded() const {
    GroupTables tables;
    for (const auto& [oid, relation] : now_) {
        if (rules_ == nullptr)
            tables.now.push_back(relation);
        else if (const auto& published = shown(relation))
            tables.now.push_back(*published);
    }
    for (const auto& [oid, relation] : former_) tables.former.push_back(relation);
    return encode(tables);
}

}  // namespace pgsluice
