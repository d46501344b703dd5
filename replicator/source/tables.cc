#include "replicator/source/tables.h"

#include <fmt/format.h>

#include <algorithm>
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

// The partitioned tables above a partition, by OID.
std::set<std::uint32_t> ancestors(sql::Connection& connection, const CatalogTable& table) {
    const std::string oid = std::to_string(table.oid);
    const auto found = connection.query(
        "SELECT relid::pg_catalog.oid FROM pg_catalog.pg_partition_ancestors($1::pg_catalog.oid) "
        "WHERE relid <> $1::pg_catalog.oid",
        {sql::Param(oid)}, {1});
    std::set<std::uint32_t> above;
    for (int row = 0; row < found.rows(); ++row) above.insert(static_cast<std::uint32_t>(found.integer(row, 0)));
    return above;
}

std::vector<CatalogTable> whole_schema(sql::Connection& connection, const std::string& schema, const Log& log) {
    if (!sql::schema_exists(connection, schema)) {
        throw stop_error(fmt::format("unable to find schema '{}' in the source", schema), "Correct --schema.");
    }
    std::set<std::uint32_t> in_schema;
    auto all = sql::tables_in(connection, schema);
    for (const auto& table : all) in_schema.insert(table.oid);
    std::vector<CatalogTable> wanted;
    for (auto& table : all) {
        const std::string reason = obstacle(table);
        if (!reason.empty()) {
            log(LogLevel::warning, fmt::format("table '{}' is left out: {}", full_name(table), reason));
            continue;
        }
        const auto above = table.is_partition ? ancestors(connection, table) : std::set<std::uint32_t>{};
        const bool comes_with_root =
            std::any_of(above.begin(), above.end(), [&](auto oid) { return in_schema.contains(oid); });
        if (!comes_with_root) wanted.push_back(std::move(table));
    }
    if (wanted.empty()) {
        throw stop_error(fmt::format("unable to replicate schema '{}': it has no tables", schema),
                         "Create the tables first, or name others with --tables or --schema.");
    }
    return wanted;
}

// The leaves of a partitioned table.
std::vector<CatalogTable> leaves(sql::Connection& connection, const CatalogTable& root) {
    const std::string oid = std::to_string(root.oid);
    const auto found = connection.query(
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_partition_tree($1::pg_catalog.oid) t "
        "JOIN pg_catalog.pg_class c ON c.oid = t.relid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE t.isleaf AND c.relkind <> 'p' ORDER BY n.nspname, c.relname",
        {sql::Param(oid)}, {2});
    std::vector<CatalogTable> result;
    for (int row = 0; row < found.rows(); ++row) {
        const auto leaf = sql::find_table(connection, found.text(row, 0), found.text(row, 1));
        if (!leaf) throw retry_error(fmt::format("unable to find partition '{}': it was dropped", found.text(row, 1)));
        if (leaf->kind != 'r') {
            throw stop_error(fmt::format("unable to replicate '{}': its partition '{}' is a foreign table",
                                         full_name(root), full_name(*leaf)),
                             "Name the partitions that are local one by one in --tables.");
        }
        result.push_back(*leaf);
    }
    return result;
}

Relation relation_of(sql::Connection& connection, const CatalogTable& table, ColumnTypes& types) {
    Relation relation{table.oid, table.schema, table.name, static_cast<ReplicaIdentity>(table.replica_identity), {}};
    for (const auto& column : sql::columns_of(connection, table.oid)) {
        if (column.generated != '\0') continue;
        relation.columns.push_back({column.name, column.type_oid, column.typmod, column.key, {}, 0, 0});
    }
    types.fill(relation);
    return relation;
}

bool has_identity(sql::Connection& connection, const CatalogTable& table) {
    if (table.replica_identity == 'f') return true;
    const auto columns = sql::columns_of(connection, table.oid);
    return std::any_of(columns.begin(), columns.end(), [](const auto& column) { return column.key; });
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
    std::set<std::uint32_t> roots;
    for (const auto& table : published) {
        if (table.kind == 'p') roots.insert(table.oid);
    }
    std::set<std::uint32_t> taken;
    std::vector<SourceTable> result;
    for (const auto& table : published) {
        // A partition named beside its root comes with the root.
        const auto above = table.is_partition ? ancestors(connection, table) : std::set<std::uint32_t>{};
        if (std::any_of(above.begin(), above.end(), [&](auto oid) { return roots.contains(oid); })) continue;
        const auto parts = table.kind == 'p' ? leaves(connection, table) : std::vector{table};
        if (table.kind == 'p' && publish_via_partition_root) {
            result.push_back({relation_of(connection, table, types), parts});
            continue;
        }
        for (const auto& part : parts) {
            if (taken.insert(part.oid).second) result.push_back({relation_of(connection, part, types), {part}});
        }
    }
    return result;
}

std::set<Oid> with_partitions(sql::Connection& connection, const std::set<Oid>& tables) {
    std::set<Oid> all = tables;
    for (const Oid table : tables) {
        const std::string oid = std::to_string(table);
        const auto found = connection.query(
            "SELECT t.relid::pg_catalog.oid::pg_catalog.int8 FROM pg_catalog.pg_class c, "
            "LATERAL pg_catalog.pg_partition_tree(c.oid) t WHERE c.oid = $1::pg_catalog.oid",
            {sql::Param(oid)}, {1});
        for (int row = 0; row < found.rows(); ++row) all.insert(static_cast<Oid>(found.integer(row, 0)));
    }
    return all;
}

void warn_of_missing_identity(sql::Connection& connection, std::span<const CatalogTable> published, const Log& log) {
    for (const auto& table : published) {
        for (const auto& part : table.kind == 'p' ? leaves(connection, table) : std::vector{table}) {
            if (has_identity(connection, part)) continue;
            log(LogLevel::warning,
                fmt::format("table '{}' has no replica identity: while it is published, the source refuses UPDATE and "
                            "DELETE on it; give it a primary key or run ALTER TABLE {} REPLICA IDENTITY FULL",
                            full_name(part), full_name(part)));
        }
    }
}

}  // namespace pgsluice
