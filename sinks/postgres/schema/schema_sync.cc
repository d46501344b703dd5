#include "sinks/postgres/schema/schema_sync.h"

#include <fmt/format.h>

#include <algorithm>

#include "sinks/postgres/array.h"
#include "sinks/postgres/history/version_statements.h"
#include "sinks/postgres/schema/dependencies.h"
#include "sinks/postgres/schema/drift.h"
#include "sinks/postgres/schema/partitionless.h"
#include "sinks/postgres/sequences/source_values.h"
#include "sql/lock_timeout.h"
#include "sql/quote.h"
#include "stream/names.h"
#include "stream/recovery_hint.h"

namespace pgsluice {

namespace {

// Functions may need types and tables functions: what fails is tried again. Casts come once their types are there.
std::vector<SchemaEntry> with_code(std::vector<SchemaEntry> entries, const SourceSchema& schema) {
    const auto table = std::find_if(entries.begin(), entries.end(), [](const auto& e) { return e.type == "TABLE"; });
    entries.insert(table, schema.casts.begin(), schema.casts.end());
    entries.insert(entries.begin(), schema.functions.begin(), schema.functions.end());
    return entries;
}

bool has_types(sql::Connection& source, const Relation& table) {
    std::vector<std::string> oids;
    for (const Column& column : table.columns) oids.push_back(std::to_string(column.type_oid));
    return source
        .query(
            "SELECT NOT EXISTS (SELECT FROM unnest($1::text[]) AS w(oid) LEFT JOIN pg_type t ON t.oid = w.oid::oid "
            "WHERE t.oid IS NULL)",
            {text_array(oids)}, {1, 1, 1})
        .boolean(0, 0);
}

std::optional<SchemaEntry> index_of_ends(const Relation& relation) {
    if (relation.keeping.mode != Keeping::Mode::history) return std::nullopt;
    const std::string name = relation.table.substr(0, 50) + "_valid_now";
    const std::string text = create_end_index(relation, name);
    if (text.empty()) return std::nullopt;
    SchemaEntry entry{name, "INDEX", relation.schema, text};
    entry.table = QualifiedName{relation.schema, relation.table};
    return entry;
}

}  // namespace

sql::Connection SchemaSync::connect_source() {
    sql::Connection source(options_.source, stop_);
    source.on_tick(tell_);
    return source;
}

void SchemaSync::set_sequences(const std::vector<TableName>& tables) {
    std::vector<TableName> at_source;
    for (const TableName& table : tables) {
        const auto found = source_names_.find(table);
        at_source.push_back(found == source_names_.end() ? table : found->second);
    }
    sql::Connection source = connect_source();
    for (const PartitionlessTable& table : partitionless_tables(source, names_for(options_.group).publication))
        at_source.push_back(table.name);
    sql::Connection target = maker_.connect_target();
    take_source_values(source, target, sequences_of(source, at_source));
}

std::vector<TableName> SchemaSync::source_names(sql::Connection& source, const std::vector<const Relation*>& tables) {
    std::vector<std::string> oids;
    for (const Relation* table : tables) oids.push_back(std::to_string(table->oid));
    const auto rows = source.query(
        "SELECT coalesce(n.nspname, ''), coalesce(c.relname, '') FROM unnest($1::text[]) WITH ORDINALITY AS w(oid, i) "
        "LEFT JOIN pg_class c ON c.oid = w.oid::oid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY w.i",
        {text_array(oids)}, {2});
    std::vector<TableName> names;
    for (int row = 0; row < rows.rows(); ++row) {
        const Relation& table = *tables[static_cast<std::size_t>(row)];
        names.emplace_back(rows.text(row, 0), rows.text(row, 1));
        if (names.back().second.empty()) names.back() = {table.schema, table.table};
    }
    return names;
}

void SchemaSync::find_routed(sql::Connection& source, const std::vector<const Relation*>& tables) {
    const auto names = source_names(source, tables);
    for (std::size_t i = 0; i < tables.size(); ++i)
        if (names[i] != TableName(tables[i]->schema, tables[i]->table))
            routed_.emplace(tables[i]->schema, tables[i]->table);
}

void SchemaSync::create_routed(sql::Connection& source, sql::Connection& target, const Relation& table) {
    if (find_target_table(target, table.schema, table.table)) return;
    std::string columns;
    std::string key;
    for (const Column& column : table.columns) {
        const std::string type = source
                                     .query("SELECT format_type($1::oid, $2::int)",
                                            {std::to_string(column.type_oid), std::to_string(column.typmod)}, {1, 1, 1})
                                     .text(0, 0);
        columns += (columns.empty() ? "" : ", ") + sql::quote_identifier(column.name) + ' ' + type;
        if (column.key) key += (key.empty() ? "" : ", ") + sql::quote_identifier(column.name);
    }
    if (table.identity == ReplicaIdentity::full) key.clear();
    if (table.keeping.mode == Keeping::Mode::history) {
        const HistoryColumns& history = table.keeping.history;
        const std::string from = sql::quote_identifier(history.valid_from);
        columns += fmt::format(", {} timestamptz NOT NULL, {} timestamptz NOT NULL, {} boolean NOT NULL", from,
                               sql::quote_identifier(history.valid_to), sql::quote_identifier(history.deleted));
        key += ", " + from;
    }
    if (!key.empty()) columns += ", PRIMARY KEY (" + key + ')';
    const std::string name = sql::quote_qualified(table.schema, table.table);
    if (!target.query("SELECT to_regnamespace($1) IS NOT NULL", {sql::quote_identifier(table.schema)}, {1, 1, 1})
             .boolean(0, 0))
        maker_.make(target, {table.schema, "SCHEMA", "-", "CREATE SCHEMA " + sql::quote_identifier(table.schema)},
                    fmt::format("create schema '{}' on the target", table.schema));
    maker_.make(target, {table.table, "TABLE", table.schema, fmt::format("CREATE TABLE {} ({})", name, columns)},
                fmt::format("create table '{}.{}' on the target", table.schema, table.table));
    log_(LogLevel::info,
         fmt::format("created table '{}.{}' with the columns that come and their key only", table.schema, table.table));
}

SourceSchema SchemaSync::read(sql::Connection& source, const std::vector<const Relation*>& tables) {
    auto names = source_names(source, tables);
    for (std::size_t i = 0; i < tables.size(); ++i) source_names_[{tables[i]->schema, tables[i]->table}] = names[i];
    rowless_.clear();
    for (const PartitionlessTable& table : partitionless_tables(source, names_for(options_.group).publication)) {
        rowless_.insert(table.oid);
        names.push_back(table.name);
    }
    try {
        return read_source_schema(source, names, options_.lock_wait_ms);
    } catch (const SqlError& error) {
        if (!sql::is_lock_timeout(error)) throw;
        source.exec("ROLLBACK");
        refuse_locked(source, names, "this worker", options_.lock_wait_ms);
        throw;
    }
}

void SchemaSync::require_made(sql::Connection& target, const std::vector<NeededObject>& unread) {
    for (const NeededObject& object : unread) {
        if (has_object(target, object)) continue;
        throw stop_error(
            fmt::format("unable to create the source's tables on the target: they need {} '{}', which "
                        "cannot be read from the catalog",
                        object.kind, object.schema == "-" ? object.name : object.schema + '.' + object.name),
            "Create it on the target, or start the worker with --target-schema-from pg_dump.");
    }
}

void SchemaSync::create_as_in_source(sql::Connection& source, sql::Connection& target,
                                     const std::vector<const Relation*>& relations, const std::vector<Oid>& types,
                                     const std::vector<const Relation*>& then) {
    const auto entries = dumped_.before_load(source, relations, types);
    maker_.take_turns(target);
    // Now that it was read: what has not changed by now had not changed then.
    refuse_drift(source, target, relations, then);
    note_read(source);
    maker_.make_all(target, entries);
}

// Before anything is made, so that the next copy finds an empty target.
void SchemaSync::refuse_drift(sql::Connection& source, sql::Connection& target,
                              const std::vector<const Relation*>& tables, const std::vector<const Relation*>& then,
                              bool may_be_gone) {
    for (std::size_t i = 0; i < tables.size(); ++i) {
        const Relation& table = *tables[i];
        if (find_target_table(target, table.schema, table.table)) continue;
        const CurrentTable now = current_table(source, table.oid);
        const std::string drift = then.empty() ? describe_added(table, now) : describe_drift(*then[i], now);
        if (drift.empty()) continue;
        if (may_be_gone && now.schema.empty() && has_types(source, table)) continue;
        throw stop_error(
            fmt::format("unable to create table '{}.{}' on the target: the source's table has changed since "
                        "the copy was taken: {}",
                        table.schema, table.table, drift),
            resnapshot_then_start_worker_hint);
    }
}

void SchemaSync::note_read(sql::Connection& source) {
    const auto lsn = source.query(
        "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END", {},
        {1, 1, 1});
    read_(parse_lsn(lsn.get(0, 0).value_or("")).value_or(Lsn{}));
}

// A table that was renamed on the source since the snapshot is not routed.
bool SchemaSync::is_routed(const Relation& table, const Relation* then) const {
    const bool same_name = then != nullptr && then->schema == table.schema && then->table == table.table;
    return !same_name && routed_.contains({table.schema, table.table});
}

void SchemaSync::create_dumped(const std::vector<const Relation*>& tables, const std::vector<const Relation*>& then) {
    sql::Connection source = connect_source();
    find_routed(source, tables);
    sql::Connection target = maker_.connect_target();
    std::vector<const Relation*> as_in_source;
    std::vector<const Relation*> then_as_in_source;
    std::vector<Oid> types;  // of the columns of routed tables
    for (std::size_t i = 0; i < tables.size(); ++i) {
        const Relation& table = *tables[i];
        if (!is_routed(table, then.empty() ? nullptr : then[i])) {
            as_in_source.push_back(&table);
            if (!then.empty()) then_as_in_source.push_back(then[i]);
        } else {
            for (const Column& column : table.columns) types.push_back(column.type_oid);
        }
    }
    log_(LogLevel::info, "creating the source's tables on the target");
    create_as_in_source(source, target, as_in_source, types, then_as_in_source);
    for (const Relation* table : tables) {
        if (routed_.contains({table->schema, table->table})) create_routed(source, target, *table);
    }
}

void SchemaSync::create_defined(const std::vector<const Relation*>& tables, const std::vector<const Relation*>& then,
                                bool joined) {
    sql::Connection source = connect_source();
    sql::Connection target = maker_.connect_target();
    log_(LogLevel::info, "creating the source's tables on the target");
    const SourceSchema schema = read(source, tables);
    require_made(target, schema.unread);
    const DefinedTables made = define_tables(schema.objects, tables, rowless_, rules_);
    for (const std::string& why : made.not_made) log_(LogLevel::warning, "not created on the target: " + why);
    const auto entries = with_code(entries_before_load(made.objects, made.empty), schema);
    maker_.take_turns(target);
    refuse_drift(source, target, then.empty() ? made.defined : tables, then, joined);
    note_read(source);
    maker_.make_all(target, entries);
    for (const Relation* table : made.as_they_come) create_routed(source, target, *table);
    for (const Relation* table : made.gone) {
        if (!has_types(source, *table)) continue;
        log_(LogLevel::info, fmt::format("the source no longer has table '{}.{}'", table->schema, table->table));
        create_routed(source, target, *table);
    }
}

void SchemaSync::create_tables(const std::vector<const Relation*>& tables, const std::vector<const Relation*>& then,
                               bool joined) {
    options_.schema_from == SchemaFrom::pg_dump ? create_dumped(tables, then) : create_defined(tables, then, joined);
}

EntriesAfterLoad SchemaSync::defined_rest(sql::Connection& source, const std::vector<const Relation*>& relations) {
    const SourceSchema schema = read(source, relations);
    const DefinedTables made = define_tables(schema.objects, relations, rowless_, rules_);
    return entries_after_load(made.objects);
}

void SchemaSync::create_rest(std::vector<TableName> tables, const std::vector<const Relation*>& relations,
                             bool foreign_keys) {
    sql::Connection source = connect_source();
    const bool dumps = options_.schema_from == SchemaFrom::pg_dump;
    if (dumps) {
        find_routed(source, relations);  // they may have been created before a restart
        std::erase_if(tables, [this](const TableName& table) { return routed_.contains(table); });
        if (tables_to_make(source, tables).empty()) return;
    }
    log_(LogLevel::info, "creating indexes, constraints and triggers on the target");
    auto entries = dumps ? dumped_.after_load(source, tables) : defined_rest(source, relations);
    std::set<TableName> ended;  // several may fill one
    for (const Relation* relation : relations)
        if (auto index = index_of_ends(*relation); index && ended.emplace(relation->schema, relation->table).second)
            entries.indexes.push_back(std::move(*index));
    if (!foreign_keys)
        std::erase_if(entries.last, [](const SchemaEntry& entry) { return entry.type == "FK CONSTRAINT"; });
    note_read(source);
    sql::Connection target = maker_.connect_target();
    maker_.take_turns(target);
    maker_.make_groups(entries.constraints);
    maker_.make_in_order(target, entries.constraints_above);
    std::vector<std::vector<SchemaEntry>> indexes;
    for (SchemaEntry& index : entries.indexes) indexes.push_back({std::move(index)});
    maker_.make_groups(indexes);
    maker_.make_in_order(target, entries.last);
    for (const auto& [schema, name] : tables) {
        const std::string table = sql::quote_qualified(schema, name);
        if (target.query("SELECT to_regclass($1) IS NOT NULL", {table}, {1, 1, 1}).boolean(0, 0))
            target.exec("ANALYZE " + table);
    }
}

}  // namespace pgsluice
