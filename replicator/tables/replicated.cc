#include "replicator/tables/replicated.h"

#include <fmt/format.h>

#include <utility>

#include "replicator/group_state.h"
#include "replicator/rules/source_rules.h"
#include "replicator/source/column_types.h"
#include "replicator/source/tables.h"
#include "stream/group/tables.h"

namespace pgsluice {

ReplicatedTables::ReplicatedTables(sql::Connection& source, std::span<const sql::CatalogTable> published,
                                   Broker& broker, const ReplicatorOptions& options, const SourceRules* rules)
    : rules_(rules) {
    ColumnTypes types(source);
    for (SourceTable& table : tables_to_copy(source, published, options.publish_via_partition_root, types))
        now_[table.relation.oid] = std::move(table.relation);
    const auto before = find_tables(broker, options.names).value_or(GroupTables{});
    for (const auto& tables : {before.former, before.now})
        for (Relation table : tables) {
            table.columns.clear();
            former_[table.oid] = std::move(table);
        }
    for (const auto& [oid, relation] : now_) former_.erase(oid);
}

void ReplicatedTables::show(Broker& broker, const Names& names, const Log& log) const {
    if (GroupState(broker, names).show_tables(encoded())) return;
    log(LogLevel::warning,
        fmt::format("the definitions of the {} tables do not fit into one message of the NATS server (max_payload {}): "
                    "workers check rules and routes only when they meet a table",
                    now_.size(), broker.max_payload()));
}

bool ReplicatedTables::update(const Relation& relation) {
    Relation& before = now_[relation.oid];
    if (before == relation) return false;
    before = relation;
    shown_.erase(relation.oid);
    return true;
}

const std::optional<Relation>& ReplicatedTables::shown(const Relation& relation) const {
    const auto known = shown_.find(relation.oid);
    if (known != shown_.end()) return known->second;
    return shown_.emplace(relation.oid, rules_->shown(relation)).first->second;
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
