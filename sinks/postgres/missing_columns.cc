#include "sinks/postgres/missing_columns.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sinks/postgres/rights/as_owner.h"
#include "sinks/postgres/target_mapping.h"
#include "sql/error.h"
#include "sql/in_transaction.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

const Column* with_number(const Relation& relation, std::int16_t number) {
    const auto found = std::find_if(relation.columns.begin(), relation.columns.end(),
                                    [&](const Column& column) { return column.number == number; });
    return found == relation.columns.end() ? nullptr : &*found;
}

const Column* with_name(const Relation& relation, const std::string& name) {
    const auto found = std::ranges::find(relation.columns, name, &Column::name);
    return found == relation.columns.end() ? nullptr : &*found;
}

std::string quoted_list(const std::vector<std::string>& names) { return fmt::format("'{}'", fmt::join(names, "', '")); }

std::string lacks(const TargetTable& table, const Column& column) {
    return fmt::format("unable to write to '{}.{}': the target's table has no column '{}'", table.schema, table.table,
                       column.name);
}

std::string add_command(const std::string& table, const Column& column, const std::string& type) {
    return fmt::format("ALTER TABLE {} ADD COLUMN {} {}", table, sql::quote_identifier(column.name), type);
}

Error possible_rename(const TargetTable& table, const Column& column, const std::string& type,
                      const std::vector<std::string>& old_names) {
    std::string renames;
    for (const std::string& name : old_names)
        renames += fmt::format("{}ALTER TABLE {} RENAME COLUMN {} TO {}", renames.empty() ? "" : ", or ", table.name,
                               sql::quote_identifier(name), sql::quote_identifier(column.name));
    return stop_error(
        fmt::format("{}; it may be what {} was renamed to on the source", lacks(table, column), quoted_list(old_names)),
        fmt::format("If it was renamed, run on the target: {}. If it is new, run there what was run on the source: {}, "
                    "with its default and NOT NULL if it has them. Then start the worker again.",
                    renames, add_command(table.name, column, type)));
}

Error no_column(const TargetTable& table, const Column& column, const std::string& type) {
    return stop_error(
        lacks(table, column),
        fmt::format("Run on the target what was run on the source, with the same default and NOT NULL if it had them: "
                    "{}; or leave the column out by an exclude_column rule, or map it with --routing-config; or start "
                    "the worker with --on-missing-column add, or ignore.",
                    add_command(table.name, column, type)));
}

Error no_constant(const TargetTable& table, const Column& column) {
    return stop_error(
        lacks(table, column) + ", which the routing file adds to its rows",
        fmt::format("Run on the target: {} NOT NULL; with the column in the table's primary key. Or start "
                    "the worker with --target-sync-schema and a name that no table has.",
                    add_command(table.name, column, column.type_name)));
}

// Of a table whose columns' numbers are known: what has none is not the source's.
bool is_computed(const Relation& relation, const Column& column) {
    return column.number == 0 && std::any_of(relation.columns.begin(), relation.columns.end(),
                                             [](const Column& other) { return other.number != 0; });
}

Error no_computed(const TargetTable& table, const Column& column) {
    return stop_error(lacks(table, column) + ", which the routing file computes",
                      fmt::format("Run on the target: {}. Or start the worker with --on-missing-column add, or ignore.",
                                  add_command(table.name, column, column.type_name)));
}

}  // namespace

void MissingColumns::resolve(const Relation& relation, TargetTable& table) {
    const auto all = find(relation, table);
    for (const Missing& missing : all) refuse_unless_allowed(relation, table, missing);
    for (const Missing& missing : all) {
        if (policy_ == OnMissingColumn::add)
            add(relation, table, missing);
        else
            leave_out(relation, table, missing);
    }
    if (!all.empty() && policy_ == OnMissingColumn::add)
        table = load_target_table(connection_, relation.schema, relation.table);
    remember(relation, table);
}

std::vector<Error> MissingColumns::faults(const Relation& relation, const TargetTable& table) {
    std::vector<Error> all;
    for (const Missing& missing : find(relation, table)) {
        try {
            refuse_unless_allowed(relation, table, missing);
            if (policy_ == OnMissingColumn::add)
                require_addable(relation, table, missing);
            else
                require_dispensable(relation, table, missing);
        } catch (const Error& error) {
            all.push_back(error);
        }
    }
    return all;
}

void MissingColumns::refuse_unless_allowed(const Relation& relation, const TargetTable& table,
                                           const Missing& missing) const {
    // Rows of others could not be told from this worker's.
    if (missing.column < relation.columns.data() + relation.keeping.constants.size())
        throw no_constant(table, *missing.column);
    if (is_computed(relation, *missing.column)) {
        if (policy_ == OnMissingColumn::stop) throw no_computed(table, *missing.column);
        return;
    }
    const std::string& type = missing.type.empty() ? missing.column->type_name : missing.type;
    if (!missing.old_names.empty()) throw possible_rename(table, *missing.column, type, missing.old_names);
    if (policy_ == OnMissingColumn::stop) throw no_column(table, *missing.column, type);
}

std::vector<MissingColumns::Missing> MissingColumns::find(const Relation& relation, const TargetTable& table) {
    std::vector<Missing> all;
    for (const Column& column : relation.columns) {
        if (table.find(column.name) != nullptr) continue;
        all.push_back({&column, type_of(column), old_names(column, relation, table)});
    }
    return all;
}

std::vector<std::string> MissingColumns::old_names(const Column& column, const Relation& relation,
                                                   const TargetTable& table) const {
    const auto before = met_.find(relation.oid);
    if (before != met_.end() && is_numbered(before->second) && column.number != 0) {
        const Column* old = with_number(before->second, column.number);
        if (old == nullptr) return {};  // new
        if (old->name != column.name && table.find(old->name) != nullptr) return {old->name};
    }
    std::vector<std::string> names;
    for (const TargetColumn& own : table.columns)
        if (!own.generated && with_name(relation, own.name) == nullptr) names.push_back(own.name);
    return names;
}

// The types of an extension or of users have other oids there.
std::string MissingColumns::type_of(const Column& column) {
    const auto found =
        connection_.query("SELECT pg_catalog.format_type(pg_catalog.to_regtype($1), $2::pg_catalog.int4)",
                          {sql::Param(column.type_name), sql::Param(std::to_string(column.typmod))}, {1, 1, 1});
    return std::string(found.get(0, 0).value_or(""));
}

void MissingColumns::require_dispensable(const Relation& relation, const TargetTable& table, const Missing& missing) {
    if (missing.column->key && relation.identity != ReplicaIdentity::full)
        throw stop_error(
            fmt::format("{}, which is part of the key by which rows are found", lacks(table, *missing.column)),
            fmt::format("Run on the target what was run on the source: {}, and give its rows the source's "
                        "values.",
                        add_command(table.name, *missing.column,
                                    missing.type.empty() ? missing.column->type_name : missing.type)));
}

void MissingColumns::leave_out(const Relation& relation, const TargetTable& table, const Missing& missing) const {
    require_dispensable(relation, table, missing);
    log_(LogLevel::warning, fmt::format("column '{}' is left out: the target's table '{}.{}' has no such column "
                                        "(--on-missing-column ignore)",
                                        missing.column->name, table.schema, table.table));
}

void MissingColumns::require_addable(const Relation& relation, const TargetTable& table, const Missing& missing) {
    const Column& column = *missing.column;
    if (missing.type.empty())
        throw stop_error(fmt::format("{}, and the target has no type '{}'", lacks(table, column), column.type_name),
                         "Create the type on the target as it is on the source, then start the worker again.");
    // What the source filled rows with is not known, so rows must be found without it.
    const bool by_key = column.key && relation.identity != ReplicaIdentity::full;
    if (by_key || TargetMapping(relation, table).match == TargetMapping::Match::whole)
        throw stop_error(
            fmt::format("{}, and rows are found by it", lacks(table, column)),
            fmt::format("Run on the target what was run on the source, with the same default and NOT NULL if it had "
                        "them: {}; then start the worker again.",
                        add_command(table.name, column, missing.type)));
}

void MissingColumns::add(const Relation& relation, const TargetTable& table, const Missing& missing) {
    require_addable(relation, table, missing);
    const Column& column = *missing.column;
    alter(altered_table(table), column, missing.type);
    log_(LogLevel::warning,
         fmt::format("added column '{}' ({}) to the target's table '{}.{}'. Rows have values of it from here on. Its "
                     "default, NOT NULL and what older rows hold on the source are not known",
                     column.name, missing.type, table.schema, table.table));
}

// A partition's columns are those of the topmost table.
QualifiedName MissingColumns::altered_table(const TargetTable& table) {
    if (table.ancestors.empty()) return {table.schema, table.table};
    const auto top = connection_.query(
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
        "c.relnamespace WHERE c.oid = $1::pg_catalog.oid",
        {sql::Param(std::to_string(table.ancestors.back()))}, {2, 1, 1});
    return {top.text(0, 0), top.text(0, 1)};
}

void MissingColumns::alter(const QualifiedName& table, const Column& column, const std::string& type) {
    const std::string command = add_command(sql::quote_qualified(table.schema, table.table), column, type);
    const bool alone = !sql::in_transaction(connection_);
    if (alone) connection_.exec("BEGIN");
    run_as_owner(connection_, owner_of(connection_, {table}, std::nullopt), command);
    if (alone) connection_.exec("COMMIT");
}

void MissingColumns::remember(const Relation& relation, const TargetTable& table) {
    if (relation.oid == 0) return;
    Relation& before = met_[relation.oid];
    const bool numbered = is_numbered(relation);
    for (const Column& column : before.columns) {
        if (column.number == 0 || !numbered) continue;
        const Column* now = with_name(relation, column.name);
        if (now != nullptr && now->number != column.number)
            log_(LogLevel::warning,
                 fmt::format("column '{0}' of '{1}.{2}' is now a different column of the source under the same name: "
                             "rows on the target keep the previous column's values until they change. To copy the "
                             "table again: pgsluice resnapshot --tables",
                             column.name, relation.schema, relation.table));
        if (now == nullptr && with_number(relation, column.number) == nullptr && table.find(column.name) != nullptr)
            log_(LogLevel::info, fmt::format("column '{}' no longer comes from the source; '{}.{}' on the target keeps "
                                             "it",
                                             column.name, table.schema, table.table));
    }
    before = relation;
}

}  // namespace pgsluice
