#include "replicator/source/tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "replicator/source/update_refusal.h"
#include "sql/error.h"
#include "stream/full_name.h"

namespace pgsluice {

namespace {

using sql::CatalogTable;

std::vector<Oid> oids_of(std::span<const CatalogTable> tables) {
    std::vector<Oid> oids;
    for (const auto& table : tables) oids.push_back(table.oid);
    return oids;
}

// Where each table's rows lie: its leaves, or itself.
sql::TablesByTable parts_of(sql::Connection& connection, std::span<const CatalogTable> tables) {
    auto parts = sql::leaves_of(connection, oids_of(tables));
    for (const auto& table : tables) {
        for (const auto& part : parts[table.oid]) {
            if (part.kind == 'r' || part.oid == table.oid) continue;
            throw stop_error(fmt::format("unable to replicate '{}': its partition '{}' is a foreign table",
                                         full_name(table), full_name(part)),
                             "Name the partitions that are local one by one in --tables.");
        }
    }
    return parts;
}

// Columns that pgoutput does not send are left out.
void describe(sql::Connection& connection, std::vector<SourceTable>& tables, ColumnTypes& types) {
    std::vector<Relation> relations;
    std::vector<Oid> oids;
    for (const auto& table : tables) oids.push_back(table.relation.oid);
    const auto columns = sql::columns_of(connection, oids);
    for (auto& table : tables) {
        Relation& relation = relations.emplace_back(std::move(table.relation));
        const auto found = columns.find(relation.oid);
        if (found == columns.end()) continue;
        for (const auto& column : found->second) {
            if (column.generated != '\0') continue;
            relation.columns.push_back({column.name, column.type_oid, column.typmod, column.key, {}, 0, 0});
        }
    }
    types.fill(relations);
    for (std::size_t i = 0; i < tables.size(); ++i) tables[i].relation = std::move(relations[i]);
}

SourceTable source_table(const CatalogTable& named, std::vector<CatalogTable> parts) {
    return {{named.oid, named.schema, named.name, static_cast<ReplicaIdentity>(named.replica_identity), {}},
            std::move(parts)};
}

}  // namespace

std::vector<SourceTable> tables_to_copy(sql::Connection& connection, std::span<const CatalogTable> published,
                                        bool publish_via_partition_root, ColumnTypes& types) {
    const auto tables = without_partitions(connection, {published.begin(), published.end()});
    auto parts = parts_of(connection, tables);
    std::vector<SourceTable> result;
    std::set<Oid> taken;
    for (const auto& table : tables) {
        if (table.kind == 'p' && publish_via_partition_root) {
            result.push_back(source_table(table, std::move(parts[table.oid])));
            continue;
        }
        for (const auto& part : parts[table.oid]) {
            if (taken.insert(part.oid).second) result.push_back(source_table(part, {part}));
        }
    }
    describe(connection, result, types);
    return result;
}

std::set<Oid> with_partitions(sql::Connection& connection, const std::set<Oid>& tables) {
    std::set<Oid> all = tables;
    const std::string oids = fmt::format("{{{}}}", fmt::join(tables, ","));
    const auto found = connection.query(
        "SELECT t.relid::pg_catalog.oid::pg_catalog.int8 FROM pg_catalog.pg_class c, "
        "LATERAL pg_catalog.pg_partition_tree(c.oid) t WHERE c.oid = ANY ($1::pg_catalog.oid[])",
        {sql::Param(oids)}, {1});
    for (int row = 0; row < found.rows(); ++row) all.insert(static_cast<Oid>(found.integer(row, 0)));
    return all;
}

void warn_of_refused_updates(sql::Connection& connection, std::span<const CatalogTable> published, const Log& log) {
    auto parts_by_table = parts_of(connection, published);
    std::vector<CatalogTable> parts;
    for (const auto& table : published) std::ranges::move(parts_by_table[table.oid], std::back_inserter(parts));
    auto columns = sql::columns_of(connection, oids_of(parts));
    for (const auto& part : parts) {
        const std::string refusal = update_refusal(part, columns[part.oid], connection.server_version());
        if (!refusal.empty()) log(LogLevel::warning, refusal);
    }
}

}  // namespace pgsluice
