#include "cmd/commands/target_types.h"

#include <algorithm>
#include <utility>

#include "rules/rule.h"
#include "rules/rules_files.h"
#include "sql/catalog.h"

namespace pgsluice {

namespace {

RelationPtr without_types(const QualifiedName& name, const std::vector<std::string>& columns) {
    Relation relation;
    relation.schema = name.schema;
    relation.table = name.table;
    for (const std::string& column : columns) relation.columns.emplace_back().name = column;
    return std::make_shared<const Relation>(std::move(relation));
}

// Which are over columns of types that are yet to be found, and add columns that the dump does not have.
std::vector<rules::Route> without_expressions(const RulesOptions& rules) {
    std::vector<rules::Route> routes = read_rules_files(rules).routes;
    for (rules::Route& route : routes) {
        route.where = {};
        route.set.clear();
    }
    return routes;
}

}  // namespace

TargetTypes::TargetTypes(const sql::ConnectOptions& target, const RulesOptions& rules, std::stop_token stop)
    : connection_(target, std::move(stop)), types_(connection_), routes_({}, without_expressions(rules)) {}

std::optional<Relation> TargetTypes::find(const QualifiedName& name, const std::vector<std::string>& columns) {
    const RelationPtr bare = without_types(name, columns);
    const auto route = routes_.compile(bare);
    if (!route) return *bare;  // its rows go nowhere
    const Relation& target = *route->target();
    const auto table = sql::find_table(connection_, target.schema, target.table);
    if (!table) return std::nullopt;
    const auto known = sql::columns_of(connection_, table->oid);
    const std::size_t added = target.keeping.constants.size();                 // which come first
    if (target.columns.size() - added != columns.size()) return std::nullopt;  // the route lists columns
    Relation found;
    found.oid = table->oid;
    found.identity = static_cast<ReplicaIdentity>(table->replica_identity);
    for (std::size_t i = added; i < target.columns.size(); ++i) {
        const auto its = std::ranges::find(known, target.columns[i].name, &sql::CatalogColumn::name);
        if (its == known.end()) return std::nullopt;
        Column& column = found.columns.emplace_back();
        column.name = its->name;
        column.type_oid = its->type_oid;
        column.typmod = its->typmod;
        column.key = its->key;
    }
    types_.fill({&found, 1});
    found.schema = name.schema;
    found.table = name.table;
    for (std::size_t i = 0; i < columns.size(); ++i) found.columns[i].name = columns[i];
    return found;
}

}  // namespace pgsluice
