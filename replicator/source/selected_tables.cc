#include "replicator/source/selected_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <span>
#include <string>

#include "replicator/source/table_selection.h"
#include "sql/error.h"
#include "sql/own_schema.h"
#include "stream/change.h"
#include "stream/full_name.h"

namespace pgsluice {

namespace {

using sql::CatalogTable;

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
    if (table.schema == own_schema) return std::string(own_schema_reason);
    if (table.persistence == 'u') return "it is unlogged: its changes are not in the WAL";
    if (table.persistence == 't') return "it is temporary";
    return {};
}

// The names of tables in the schema that differ only in case, for a hint.
std::string similar(sql::Connection& connection, const QualifiedName& wanted) {
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

// Says why a table that is named exactly is not among those found.
[[noreturn]] void refuse_named(sql::Connection& connection, const QualifiedName& name) {
    const auto table = sql::find_table(connection, name.schema, name.table);
    if (!table) {
        throw stop_error(fmt::format("unable to find table '{}.{}' in the source", name.schema, name.table),
                         similar(connection, name));
    }
    throw stop_error(fmt::format("unable to replicate '{}': {}", full_name(*table), obstacle(*table)),
                     "Leave it out of --tables.");
}

// All tables that the selection may be about, what it excludes among them.
std::vector<CatalogTable> candidates(sql::Connection& connection, const TableSelection& selection) {
    std::vector<std::string> schemas;
    for (const auto* patterns : {&selection.wanted, &selection.excluded})
        for (const auto& pattern : *patterns) schemas.push_back(pattern.schema.like());
    return sql::tables_in(connection, schemas);
}

void check_schemas(sql::Connection& connection, const TableChoice& choice) {
    auto schemas = choice.schemas;
    if (choice.by_default()) schemas.push_back(choice.schema);
    for (const auto& schema : schemas) {
        if (sql::schema_exists(connection, schema)) continue;
        throw stop_error(fmt::format("unable to find schema '{}' in the source", schema),
                         fmt::format("Correct {}.", choice.by_default() ? "--schema" : "--schemas"));
    }
}

void check_names(sql::Connection& connection, const TableSelection& selection, std::span<const CatalogTable> found) {
    for (const auto& pattern : selection.wanted) {
        if (pattern.wildcard()) continue;
        const bool usable = std::ranges::any_of(found, [&](const CatalogTable& table) {
            return pattern.matches(table.schema, table.name) && obstacle(table).empty();
        });
        if (!usable) refuse_named(connection, {pattern.schema.text, pattern.table.text});
    }
}

// Why a table that is not named exactly stays out, though a pattern or a whole schema would bring it in.
std::string left_out(const CatalogTable& table) {
    if (!table.extension.empty())
        return fmt::format("it belongs to extension '{}'; name it in --tables to replicate it", table.extension);
    return obstacle(table);
}

bool is_selected(const CatalogTable& table, const TableSelection& selection, const Log& log) {
    if (!selection.takes(table.schema, table.name)) return false;
    if (selection.names(table.schema, table.name)) return true;
    const std::string reason = left_out(table);
    if (reason.empty()) return true;
    log(table.extension.empty() ? LogLevel::warning : LogLevel::info,
        fmt::format("table '{}' is left out: {}", full_name(table), reason));
    return false;
}

// A partition comes with its root, unless it is named exactly.
std::vector<CatalogTable> partitions_with_root_removed(sql::Connection& connection, std::vector<CatalogTable> tables,
                                                       const TableSelection& selection) {
    std::set<Oid> kept;
    for (const auto& table : without_partitions(connection, tables)) kept.insert(table.oid);
    std::erase_if(tables, [&](const CatalogTable& table) {
        return !kept.contains(table.oid) && !selection.names(table.schema, table.name);
    });
    return tables;
}

// The server would send a partition's changes all the same, for those of its root are published.
void check_excluded(sql::Connection& connection, const TableSelection& selection, std::span<const CatalogTable> found,
                    std::span<const CatalogTable> taken) {
    std::vector<Oid> partitions;
    for (const auto& table : found)
        if (table.is_partition && selection.excludes(table.schema, table.name)) partitions.push_back(table.oid);
    if (partitions.empty()) return;
    const auto ancestors = sql::ancestors_of(connection, partitions);
    for (const auto& table : found) {
        const auto above = ancestors.find(table.oid);
        if (above == ancestors.end()) continue;
        for (const auto& root : above->second) {
            if (std::ranges::none_of(taken, [&](const auto& other) { return other.oid == root.oid; })) continue;
            throw stop_error(fmt::format("unable to exclude table '{}': it is a partition of '{}', which is replicated "
                                         "with all its partitions",
                                         full_name(table), full_name(root)),
                             fmt::format("Exclude '{}' as well, and select the partitions that you want by name or "
                                         "pattern.",
                                         full_name(root)));
        }
    }
}

void tell_unused(const TableSelection& selection, std::span<const CatalogTable> found, const Log& log) {
    const auto used = [&](const TablePattern& pattern) {
        return std::ranges::any_of(found, [&](const auto& table) { return pattern.matches(table.schema, table.name); });
    };
    for (const auto& pattern : selection.wanted)
        if (pattern.wildcard() && !used(pattern))
            log(LogLevel::warning, fmt::format("no table matches '{}' yet", pattern.name()));
    for (const auto& pattern : selection.excluded)
        if (!used(pattern))
            log(LogLevel::warning, fmt::format("no table matches '{}', which is to be excluded", pattern.name()));
}

// In lines of a length that can be read.
void list_tables(std::span<const CatalogTable> tables, const Log& log) {
    constexpr std::size_t names_per_line = 20;
    for (std::size_t from = 0; from < tables.size(); from += names_per_line) {
        std::vector<std::string> names;
        for (const auto& table : tables.subspan(from, std::min(names_per_line, tables.size() - from)))
            names.push_back(full_name(table));
        const std::string which = tables.size() <= names_per_line
                                      ? fmt::format("{}", tables.size())
                                      : fmt::format("{} to {} of {}", from + 1, from + names.size(), tables.size());
        log(LogLevel::info, fmt::format("selected tables ({}): {}", which, fmt::join(names, ", ")));
    }
}

[[noreturn]] void refuse_empty(const TableChoice& choice, const TableSelection& selection) {
    const std::string hint = "Create the tables first, or select others with --tables, --schemas or --schema.";
    if (choice.by_default() && choice.exclude_tables.empty())
        throw stop_error(fmt::format("unable to replicate schema '{}': it has no tables", choice.schema), hint);
    std::vector<std::string> names;
    for (const auto& pattern : selection.wanted) names.push_back('\'' + pattern.name() + '\'');
    throw stop_error(
        fmt::format("unable to find tables to replicate: {} and what is excluded leave none", fmt::join(names, ", ")),
        hint);
}

}  // namespace

std::vector<CatalogTable> without_partitions(sql::Connection& connection, std::vector<CatalogTable> tables) {
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

std::vector<CatalogTable> resolve_tables(sql::Connection& connection, const TableChoice& choice, const Log& log) {
    const TableSelection selection = selection_of(choice);
    check_schemas(connection, choice);
    const auto found = candidates(connection, selection);
    check_names(connection, selection, found);
    std::vector<CatalogTable> tables;
    std::ranges::copy_if(found, std::back_inserter(tables),
                         [&](const CatalogTable& table) { return is_selected(table, selection, log); });
    tables = partitions_with_root_removed(connection, std::move(tables), selection);
    check_excluded(connection, selection, found, tables);
    tell_unused(selection, found, log);
    if (tables.empty()) refuse_empty(choice, selection);
    if (selection.open()) list_tables(tables, log);
    return tables;
}

}  // namespace pgsluice
