#include "sinks/postgres_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "sinks/postgres_array.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

// The tables, all they inherit from, and the sequences their defaults use without owning them: all quoted.
constexpr const char* selection_query =
    "WITH RECURSIVE wanted AS ("
    "  SELECT c.oid FROM unnest($1::text[], $2::text[]) AS w(s, t) JOIN pg_namespace n ON n.nspname = w.s "
    "  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.t AND c.relkind IN ('r', 'p')"
    "  UNION SELECT i.inhparent FROM wanted JOIN pg_inherits i ON i.inhrelid = wanted.oid), "
    "used AS ("
    "  SELECT d.refobjid AS oid FROM wanted JOIN pg_attrdef a ON a.adrelid = wanted.oid"
    "  JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid"
    "  AND d.refclassid = 'pg_class'::regclass JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S') "
    "SELECT DISTINCT "
    "'\"' || replace(n.nspname, '\"', '\"\"') || '\".\"' || replace(c.relname, '\"', '\"\"') || '\"' "
    "FROM (SELECT oid FROM wanted UNION SELECT oid FROM used) x JOIN pg_class c ON c.oid = x.oid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace";

// Sequences that columns of these tables own or use.
constexpr const char* sequence_query =
    "WITH wanted AS ("
    "  SELECT c.oid FROM unnest($1::text[], $2::text[]) AS w(s, t) JOIN pg_namespace n ON n.nspname = w.s "
    "  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.t), "
    "used AS ("
    "  SELECT d.objid AS oid FROM wanted JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass"
    "  AND d.refobjid = wanted.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')"
    "  UNION SELECT d.refobjid FROM wanted JOIN pg_attrdef a ON a.adrelid = wanted.oid"
    "  JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid"
    "  AND d.refclassid = 'pg_class'::regclass) "
    "SELECT '\"' || replace(n.nspname, '\"', '\"\"') || '\".\"' || replace(c.relname, '\"', '\"\"') || '\"' "
    "FROM used JOIN pg_class c ON c.oid = used.oid AND c.relkind = 'S' JOIN pg_namespace n ON n.oid = c.relnamespace";

// Columns of a table and of all it inherits from that must have a value or have a default, other than those that come.
constexpr const char* left_out_query =
    "WITH RECURSIVE up AS ("
    "  SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND "
    "  c.relname = $2"
    "  UNION SELECT i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.oid) "
    "SELECT n.nspname, c.relname, a.attname FROM up JOIN pg_class c ON c.oid = up.oid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid "
    "WHERE a.attnum > 0 AND NOT a.attisdropped AND (a.attnotnull OR a.atthasdef) AND a.attidentity = '' "
    "AND a.attgenerated = '' AND a.attname <> ALL ($3::text[])";

constexpr const char* target_settings =
    "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; "
    "SET search_path = ''; SET check_function_bodies = off; SET client_min_messages = warning; "
    "SET maintenance_work_mem = '256MB'";

// Already there: duplicate schema, object, table, function, column; a second primary key; a partition attached; a
// column that is an identity already.
bool means_exists(const SqlError& error) {
    constexpr std::array<std::string_view, 8> states{"42P06", "42710", "42P07", "42723",
                                                     "42701", "42P16", "42809", "55000"};
    return std::find(states.begin(), states.end(), error.sqlstate()) != states.end();
}

// A foreign key to a table that is not copied, or not to the end: it holds on the source, not here.
bool is_key_to_elsewhere(const DumpEntry& entry, const SqlError& error) {
    return entry.type == "FK CONSTRAINT" && (error.sqlstate() == "23503" || error.sqlstate() == "42830");
}

// Something it needs is missing, which may come later in the script.
bool means_missing(const SqlError& error) {
    constexpr std::array<std::string_view, 6> states{"42P01", "42704", "42883", "3F000", "42703", "0A000"};
    return std::find(states.begin(), states.end(), error.sqlstate()) != states.end();
}

// Never needed for a table to hold rows, and not ours to create.
bool is_ours(const DumpEntry& entry) {
    constexpr std::array<std::string_view, 10> others{
        "EVENT TRIGGER", "PUBLICATION", "PUBLICATION TABLE", "SUBSCRIPTION", "VIEW", "MATERIALIZED VIEW",
        "RULE",          "POLICY",      "ROW SECURITY",      "DEFAULT ACL"};
    return std::find(others.begin(), others.end(), entry.type) == others.end();
}

// "public.users" of "CREATE INDEX i ON [ONLY] public.users USING ..." or "ALTER TABLE [ONLY] public.users ADD ...".
std::string table_of(const DumpEntry& entry) {
    for (const std::string_view before : {std::string_view("ALTER TABLE "), std::string_view(" ON ")}) {
        auto at = entry.text.find(before);
        if (at == std::string::npos) continue;
        at += before.size();
        if (entry.text.compare(at, 5, "ONLY ") == 0) at += 5;
        return entry.text.substr(at, entry.text.find_first_of(" \n", at) - at);
    }
    return "";
}

// Quoted and qualified names, as both pg_dump's --table and SQL take them.
std::vector<std::string> names_from(sql::Connection& source, const char* query, const std::vector<TableName>& tables) {
    std::vector<std::string> schemas;
    std::vector<std::string> names;
    for (const auto& [schema, name] : tables) {
        schemas.push_back(schema);
        names.push_back(name);
    }
    const auto rows = source.query(query, {text_array(schemas), text_array(names)}, {1});
    std::vector<std::string> found;
    for (int row = 0; row < rows.rows(); ++row) found.push_back(rows.text(row, 0));
    return found;
}

}  // namespace

sql::Connection PostgresSchema::connect_target() {
    sql::Connection target(options_.target, stop_);
    target.exec(target_settings);
    return target;
}

std::vector<std::string> PostgresSchema::selection(sql::Connection& source, const std::vector<TableName>& tables) {
    std::vector<std::string> arguments;
    for (const std::string& name : names_from(source, selection_query, tables)) arguments.push_back("--table=" + name);
    return arguments;
}

void PostgresSchema::set_sequences(const std::vector<TableName>& tables) {
    sql::Connection source(options_.source, stop_);
    sql::Connection target = connect_target();
    for (const std::string& name : names_from(source, sequence_query, tables)) {
        if (!target.query("SELECT to_regclass($1) IS NOT NULL", {name}, {1, 1, 1}).boolean(0, 0)) continue;
        const auto value = source.query("SELECT last_value, is_called FROM " + name, {}, {2, 1, 1});
        target.query("SELECT setval($1::regclass, $2::bigint, $3::bool) FROM " + name +
                         " AS s WHERE s.last_value < $2::bigint OR NOT s.is_called",
                     {name, value.get(0, 0), value.get(0, 1)}, {1, 0, 1});
    }
}

std::vector<DumpEntry> PostgresSchema::dump(sql::Connection& source, std::vector<std::string> arguments) {
    for (const char* more : {"--no-owner", "--no-privileges", "--no-tablespaces", "--no-publications",
                             "--no-subscriptions", "--no-security-labels", "--no-comments"})
        arguments.emplace_back(more);
    auto entries = parse_dump(run_pg_dump(options_.source, source.server_version(), arguments, stop_));
    std::erase_if(entries, [](const DumpEntry& entry) { return !is_ours(entry); });
    return entries;
}

std::vector<DumpEntry> PostgresSchema::try_all(sql::Connection& target, const std::vector<DumpEntry>& entries) {
    std::vector<DumpEntry> later;
    for (const DumpEntry& entry : entries) {
        try {
            target.exec(entry.text);
        } catch (const SqlError& error) {
            if (means_exists(error)) continue;
            if (!means_missing(error) && !is_key_to_elsewhere(entry, error)) {
                throw SqlError(
                    error.action(),
                    fmt::format("unable to create {} '{}' on the target: {}", entry.type, entry.name, error.what()),
                    error.sqlstate(), error.hint());
            }
            later.push_back(entry);
        }
    }
    return later;
}

void PostgresSchema::find_routed(sql::Connection& source, const std::vector<const Relation*>& tables) {
    std::vector<std::string> oids;
    for (const Relation* table : tables) oids.push_back(std::to_string(table->oid));
    const auto rows = source.query(
        "SELECT coalesce(n.nspname, ''), coalesce(c.relname, '') FROM unnest($1::text[]) WITH ORDINALITY AS w(oid, i) "
        "LEFT JOIN pg_class c ON c.oid = w.oid::oid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY w.i",
        {text_array(oids)}, {2});
    for (int row = 0; row < rows.rows(); ++row) {
        const Relation& table = *tables[static_cast<std::size_t>(row)];
        const bool known = !rows.text(row, 1).empty();
        if (known && (rows.text(row, 0) != table.schema || rows.text(row, 1) != table.table))
            routed_.emplace(table.schema, table.table);
    }
}

void PostgresSchema::create_routed(sql::Connection& source, sql::Connection& target, const Relation& table) {
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
    if (!key.empty()) columns += ", PRIMARY KEY (" + key + ')';
    const std::string name = sql::quote_qualified(table.schema, table.table);
    if (!target.query("SELECT to_regnamespace($1) IS NOT NULL", {sql::quote_identifier(table.schema)}, {1, 1, 1})
             .boolean(0, 0))
        target.exec("CREATE SCHEMA " + sql::quote_identifier(table.schema));
    target.exec(fmt::format("CREATE TABLE {} ({})", name, columns),
                fmt::format("create table '{}.{}' on the target", table.schema, table.table));
    log_(LogLevel::info, fmt::format("created table '{}.{}', which the routing file names, with its columns and its "
                                     "key only",
                                     table.schema, table.table));
}

// A column that a rule leaves out gets no values, not that of its default either. A partition cannot allow NULL where
// its parents do not, so they must, too, before it is attached.
PostgresSchema::LeftOut PostgresSchema::left_out(sql::Connection& source, const std::vector<const Relation*>& tables) {
    LeftOut columns;
    for (const Relation* table : tables) {
        std::vector<std::string> come;
        for (const Column& column : table->columns) come.push_back(column.name);
        const auto rows = source.query(left_out_query, {table->schema, table->table, text_array(come)}, {3});
        for (int row = 0; row < rows.rows(); ++row)
            columns[{rows.text(row, 0), rows.text(row, 1)}].insert(rows.text(row, 2));
    }
    return columns;
}

void PostgresSchema::create_as_in_source(sql::Connection& source, sql::Connection& target,
                                         const std::vector<const Relation*>& relations) {
    std::vector<TableName> tables;
    for (const Relation* relation : relations) tables.emplace_back(relation->schema, relation->table);
    // Types, functions, extensions and schemas of the whole database; tables and their sequences only of ours.
    auto entries = dump(source, {"--section=pre-data", "--exclude-table=*.*"});
    if (auto arguments = selection(source, tables); !arguments.empty()) {
        arguments.emplace_back("--section=pre-data");
        auto ours = dump(source, arguments);
        const LeftOut columns = left_out(source, relations);
        for (DumpEntry& entry : ours) {
            const auto found = columns.find({entry.schema, entry.name});
            if (entry.type != "TABLE" || found == columns.end()) continue;
            // In the same string, hence the same transaction: a table that is there is left as it is.
            for (const std::string& column : found->second)
                entry.text +=
                    fmt::format("\nALTER TABLE {0} ALTER COLUMN {1} DROP NOT NULL, ALTER COLUMN {1} DROP DEFAULT;",
                                sql::quote_qualified(entry.schema, entry.name), sql::quote_identifier(column));
        }
        entries.insert(entries.end(), ours.begin(), ours.end());
    }
    target.exec("SELECT pg_advisory_lock(hashtextextended('pgsluice/schema', 0))");
    // A function may name a table's row type and a table's default a function: what fails is tried again, as long as
    // that gets any further.
    auto left = try_all(target, entries);
    for (std::size_t before = entries.size(); !left.empty() && left.size() < before;) {
        before = left.size();
        left = try_all(target, left);
    }
    for (const DumpEntry& entry : left) {
        log_(entry.type == "TABLE" ? LogLevel::warning : LogLevel::info,
             fmt::format("{} '{}' could not be created on the target: it needs something that is not copied",
                         entry.type, entry.name));
    }
}

void PostgresSchema::create_tables(const std::vector<const Relation*>& tables) {
    sql::Connection source(options_.source, stop_);
    source.exec("SET search_path = ''");
    find_routed(source, tables);
    sql::Connection target = connect_target();
    std::vector<const Relation*> as_in_source;
    for (const Relation* table : tables) {
        if (!routed_.contains({table->schema, table->table})) as_in_source.push_back(table);
    }
    log_(LogLevel::info, "creating the source's tables on the target");
    create_as_in_source(source, target, as_in_source);
    for (const Relation* table : tables) {
        if (routed_.contains({table->schema, table->table})) create_routed(source, target, *table);
    }
}

void PostgresSchema::run_parallel(const std::vector<std::vector<DumpEntry>>& groups) {
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::exception_ptr failure;
    const auto work = [&]() noexcept {
        try {
            sql::Connection target = connect_target();
            for (std::size_t i = next++; i < groups.size(); i = next++) {
                for (const DumpEntry& entry : try_all(target, groups[i]))
                    log_(LogLevel::warning,
                         fmt::format("{} '{}' could not be created on the target: it needs something "
                                     "that is not copied",
                                     entry.type, entry.name));
            }
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (!failure) failure = std::current_exception();
            next = groups.size();
        }
    };
    {
        std::vector<std::jthread> threads;
        const auto count = std::min(groups.size(), static_cast<std::size_t>(std::max(1, options_.copy_workers)));
        for (std::size_t i = 0; i < count; ++i) threads.emplace_back(work);
    }
    if (failure) std::rethrow_exception(failure);
}

void PostgresSchema::create_rest(std::vector<TableName> tables, const std::vector<const Relation*>& relations,
                                 bool foreign_keys) {
    sql::Connection source(options_.source, stop_);
    find_routed(source, relations);  // they may have been created before a restart
    std::erase_if(tables, [this](const TableName& table) { return routed_.contains(table); });
    auto arguments = selection(source, tables);
    if (arguments.empty()) return;
    log_(LogLevel::info, "creating indexes, constraints and triggers on the target");
    arguments.emplace_back("--section=post-data");
    const auto entries = dump(source, arguments);
    sql::Connection target = connect_target();
    target.exec("SELECT pg_advisory_lock(hashtextextended('pgsluice/schema', 0))");

    // Constraints lock their table, so those of one table follow each other; indexes of one table can be built at once.
    std::map<std::string, std::vector<DumpEntry>> constraints;
    std::vector<std::vector<DumpEntry>> indexes;
    std::vector<DumpEntry> last;
    for (const DumpEntry& entry : entries) {
        if (entry.type == "FK CONSTRAINT" && !foreign_keys) continue;
        if (entry.type == "CONSTRAINT") {
            constraints[table_of(entry)].push_back(entry);
        } else if (entry.type == "INDEX") {
            indexes.push_back({entry});
        } else {
            last.push_back(entry);  // attached indexes, foreign keys, triggers, statistics
        }
    }
    std::vector<std::vector<DumpEntry>> groups;
    for (auto& [table, of_table] : constraints) groups.push_back(std::move(of_table));
    run_parallel(groups);
    run_parallel(indexes);
    for (const DumpEntry& entry : try_all(target, last)) {
        log_(LogLevel::warning,
             fmt::format("{} '{}' could not be created on the target: it needs something that is not "
                         "copied",
                         entry.type, entry.name));
    }
    for (const auto& [schema, name] : tables) {
        const std::string table = sql::quote_qualified(schema, name);
        if (target.query("SELECT to_regclass($1) IS NOT NULL", {table}, {1, 1, 1}).boolean(0, 0))
            target.exec("ANALYZE " + table);
    }
}

}  // namespace pgsluice
