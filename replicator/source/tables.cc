#include "replicator/source/tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>

#include "sql/error.h"

namespace pgsluice {

namespace {

using sql::CatalogTable;

std::string full_name(const CatalogTable& table) { return table.schema + '.' + table.name; }

// Takes one part of a name off the front of `text`.
std::string take_part(std::string_view& text, std::string_view whole) {
    std::string part;
    if (text.starts_with('"')) {
        text.remove_prefix(1);
        for (;;) {
            const auto quote = text.find('"');
            if (quote == std::string_view::npos) {
                throw usage_error(fmt::format("unable to use table name '{}': a quote is not closed", whole));
            }
            part += text.substr(0, quote);
            text.remove_prefix(quote + 1);
            if (!text.starts_with('"')) break;
            part += '"';
            text.remove_prefix(1);
        }
    } else {
        part = text.substr(0, text.find('.'));
        text.remove_prefix(part.size());
    }
    if (part.empty() || !(text.empty() || text.starts_with('.'))) {
        throw usage_error(fmt::format("unable to use table name '{}': not 'table' or 'schema.table'", whole),
                          "Put a name that has a dot in it in double quotes: shop.\"a.b\".");
    }
    return part;
}

// Why a relation cannot be published; empty when it can.
std::string obstacle(const CatalogTable& table) {
    switch (table.kind) {
        case 'r':
        case 'p':
            break;
        case 'v':
            return "it is a view";
        case 'm':
            return "it is a materialized view";
        case 'f':
            return "it is a foreign table";
        case 'S':
            return "it is a sequence";
        default:
            return "it is no table";
    }
    if (table.persistence == 'u') return "it is unlogged: its changes are not in the WAL";
    if (table.persistence == 't') return "it is temporary";
    return {};
}

// The names of tables in the schema that differ only in case, for a hint.
std::string similar(sql::Connection& connection, const TableName& wanted) {
    const auto found = connection.query(
        "SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE pg_catalog.lower(c.relname) = pg_catalog.lower($1) AND c.relkind IN ('r', 'p') "
        "ORDER BY n.nspname <> $2, 1 LIMIT 1",
        {sql::Param(wanted.table), sql::Param(wanted.schema)}, {1, 0, 1});
    if (found.rows() == 0) return "Create the table first, or correct --tables and --schema.";
    return fmt::format("Did you mean '{}'? Names are taken as they are written, upper and lower case too.",
                       found.text(0, 0));
}

CatalogTable find_named(sql::Connection& connection, const TableName& name) {
    const auto table = sql::find_table(connection, name.schema, name.table);
    if (!table) {
        throw stop_error(fmt::format("unable to find table '{}.{}' in the source", name.schema, name.table),
                         similar(connection, name));
    }
    const std::string reason = obstacle(*table);
    if (!reason.empty()) {
        throw stop_error(fmt::format("unable to replicate '{}': {}", full_name(*table), reason),
                         "Leave it out of --tables.");
    }
    return *table;
}

std::vector<Oid> oids_of(std::span<const CatalogTable> tables) {
    std::vector<Oid> oids;
    for (const auto& table : tables) oids.push_back(table.oid);
    return oids;
}

// The tables that are not partitions of others among them, at whatever distance: those come with their root.
std::vector<CatalogTable> without_parts(sql::Connection& connection, std::vector<CatalogTable> tables) {
    std::set<Oid> roots;
    std::vector<Oid> partitions;
    for (const auto& table : tables) {
        if (table.kind == 'p') roots.insert(table.oid);
        if (table.is_partition) partitions.push_back(table.oid);
    }
    if (roots.empty() || partitions.empty()) return tables;
    const auto ancestors = sql::ancestors_of(connection, partitions);
    std::erase_if(tables, [&](const CatalogTable& table) {
        const auto above = ancestors.find(table.oid);
        return above != ancestors.end() &&
               std::ranges::any_of(above->second, [&](const auto& root) { return roots.contains(root.oid); });
    });
    return tables;
}

std::vector<CatalogTable> whole_schema(sql::Connection& connection, const std::string& schema, const Log& log) {
    if (!sql::schema_exists(connection, schema)) {
        throw stop_error(fmt::format("unable to find schema '{}' in the source", schema), "Correct --schema.");
    }
    auto all = sql::tables_in(connection, schema);
    std::erase_if(all, [&](const CatalogTable& table) {
        const std::string reason = obstacle(table);
        if (reason.empty()) return false;
        log(LogLevel::warning, fmt::format("table '{}' is left out: {}", full_name(table), reason));
        return true;
    });
    auto wanted = without_parts(connection, std::move(all));
    if (wanted.empty()) {
        throw stop_error(fmt::format("unable to replicate schema '{}': it has no tables", schema),
                         "Create the tables first, or name others with --tables or --schema.");
    }
    return wanted;
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

bool has_identity(const CatalogTable& table, const sql::ColumnsByTable& columns) {
    if (table.replica_identity == 'f') return true;
    const auto found = columns.find(table.oid);
    return found != columns.end() && std::ranges::any_of(found->second, [](const auto& column) { return column.key; });
}

}  // namespace

TableName parse_table_name(std::string_view text, std::string_view default_schema) {
    std::string_view rest = text;
    std::string first = take_part(rest, text);
    if (rest.empty()) return {std::string(default_schema), std::move(first)};
    rest.remove_prefix(1);
    std::string second = take_part(rest, text);
    if (!rest.empty()) throw usage_error(fmt::format("unable to use table name '{}': more than two parts", text));
    return {std::move(first), std::move(second)};
}

std::vector<CatalogTable> resolve_tables(sql::Connection& connection, const ReplicatorOptions& options,
                                         const Log& log) {
    std::vector<CatalogTable> tables;
    if (options.tables.empty()) tables = whole_schema(connection, options.schema, log);
    for (const auto& text : options.tables) {
        tables.push_back(find_named(connection, parse_table_name(text, options.schema)));
    }
    const auto name = [](const CatalogTable& table) { return std::tie(table.schema, table.name); };
    std::sort(tables.begin(), tables.end(), [&](const auto& a, const auto& b) { return name(a) < name(b); });
    const auto repeated =
        std::unique(tables.begin(), tables.end(), [](const auto& a, const auto& b) { return a.oid == b.oid; });
    tables.erase(repeated, tables.end());
    return tables;
}

std::vector<SourceTable> tables_to_copy(sql::Connection& connection, std::span<const CatalogTable> published,
                                        bool publish_via_partition_root, ColumnTypes& types) {
    const auto tables = without_parts(connection, {published.begin(), published.end()});
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

void warn_of_missing_identity(sql::Connection& connection, std::span<const CatalogTable> published, const Log& log) {
    auto parts_by_table = parts_of(connection, published);
    std::vector<CatalogTable> parts;
    for (const auto& table : published) std::ranges::move(parts_by_table[table.oid], std::back_inserter(parts));
    const auto columns = sql::columns_of(connection, oids_of(parts));
    for (const auto& part : parts) {
        if (has_identity(part, columns)) continue;
        log(LogLevel::warning,
            fmt::format("table '{}' has no replica identity: while it is published, the source refuses UPDATE and "
                        "DELETE on it; give it a primary key or run ALTER TABLE {} REPLICA IDENTITY FULL",
                        full_name(part), full_name(part)));
    }
}

}  // namespace pgsluice
