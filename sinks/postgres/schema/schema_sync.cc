#include "sinks/postgres/schema/schema_sync.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "sinks/postgres/array.h"
#include "sinks/postgres/rights/as_owner.h"
#include "sinks/postgres/rights/target_owner.h"
#include "sinks/postgres/schema/dependencies.h"
#include "sinks/postgres/schema/drift.h"
#include "sql/quote.h"
#include "stream/recovery_hint.h"

namespace pgsluice {

namespace {

constexpr const char* target_settings =
    "SET check_function_bodies = off; SET client_min_messages = warning; SET maintenance_work_mem = '256MB'";

// Already there: duplicate schema, object, table, function, column; and by the entry's type a second primary key, a
// partition attached, a column that is an identity or has a default already.
bool means_exists(const DumpEntry& entry, const SqlError& error) {
    constexpr std::array<std::string_view, 5> states{"42P06", "42710", "42P07", "42723", "42701"};
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> of_type{
        {{"CONSTRAINT", "42P16"}, {"TABLE ATTACH", "42809"}, {"INDEX ATTACH", "55000"}, {"SEQUENCE", "55000"}}};
    const std::pair<std::string_view, std::string_view> this_one(entry.type, error.sqlstate());
    return std::find(states.begin(), states.end(), error.sqlstate()) != states.end() ||
           std::find(of_type.begin(), of_type.end(), this_one) != of_type.end();
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

// A type, an extension or the like that cannot be made at all: the tables may do without. Not so when the server is at
// its limits (class 53) or was told to end (57).
bool is_no_obstacle(const DumpEntry& entry, const SqlError& error) {
    return error.action() == Action::stop && SchemaDependencies::may_contain(entry) &&
           !error.sqlstate().starts_with("53") && !error.sqlstate().starts_with("57");
}

// Never needed for a table to hold rows, and not ours to create.
bool is_ours(const DumpEntry& entry) {
    constexpr std::array<std::string_view, 10> others{
        "EVENT TRIGGER", "PUBLICATION", "PUBLICATION TABLE", "SUBSCRIPTION", "VIEW", "MATERIALIZED VIEW",
        "RULE",          "POLICY",      "ROW SECURITY",      "DEFAULT ACL"};
    return std::find(others.begin(), others.end(), entry.type) == others.end();
}

// "public.users" of "ALTER TABLE ONLY public.users\n    ADD CONSTRAINT ...", quoted where it must be.
std::string_view table_of(const DumpEntry& entry) {
    const std::string_view text = entry.text;
    const auto at = text.find("ALTER TABLE ");
    return at == std::string_view::npos ? std::string_view() : text.substr(at, text.find('\n', at) - at);
}

std::vector<TableName> names_of(const std::vector<const Relation*>& relations) {
    std::vector<TableName> names;
    for (const Relation* relation : relations) names.emplace_back(relation->schema, relation->table);
    return names;
}

void make_as(sql::Connection& target, const std::string& owner, const std::string& statements,
             const std::string& doing) {
    try {
        run_as_owner(target, owner, statements);
    } catch (const SqlError& error) {
        const std::string hint =
            error.sqlstate() != "42501"
                ? error.hint()
                : fmt::format(
                      "It is made with the rights of --target-owner: on the target, GRANT CREATE ON the schema "
                      "(for a schema or extension, ON the database) TO {0}; a table that is there must belong "
                      "to {0}, too.",
                      sql::quote_identifier(owner));
        throw SqlError(error.action(), fmt::format("unable to {}: {}", doing, error.what()), error.sqlstate(), hint);
    }
}

}  // namespace

sql::Connection SchemaSync::connect_source() {
    sql::Connection source(options_.source, stop_);
    source.on_tick(tell_);
    return source;
}

sql::Connection SchemaSync::connect_target() {
    sql::Connection target(options_.target, stop_);
    target.exec(target_settings);
    return target;
}

void SchemaSync::take_turns(sql::Connection& target) {
    target.on_tick(tell_);
    target.exec("SELECT pg_advisory_lock(hashtextextended('pgsluice/schema', 0))");
}

std::vector<std::string> SchemaSync::selection(sql::Connection& source, const std::vector<TableName>& tables) {
    std::vector<std::string> arguments;
    for (const std::string& name : tables_to_make(source, tables)) arguments.push_back("--table=" + name);
    return arguments;
}

void SchemaSync::set_sequences(const std::vector<TableName>& tables) {
    sql::Connection source = connect_source();
    sql::Connection target = connect_target();
    for (const std::string& name : sequences_of(source, tables)) {
        if (!target.query("SELECT to_regclass($1) IS NOT NULL", {name}, {1, 1, 1}).boolean(0, 0)) continue;
        const auto value = source.query("SELECT last_value, is_called FROM " + name, {}, {2, 1, 1});
        target.query("SELECT setval($1::regclass, $2::bigint, $3::bool) FROM " + name +
                         " AS s WHERE s.last_value < $2::bigint OR s.last_value = $2::bigint AND NOT s.is_called",
                     {name, value.get(0, 0), value.get(0, 1)}, {1, 0, 1});
    }
}

// pg_dump locks the tables it describes. When another session is waiting to alter one, pg_dump waits for the end of
// the replicator's copy; and the copy, where the stream is full, waits for us.
std::string SchemaSync::dump_or_name_locker(sql::Connection& source, const std::vector<TableName>& tables,
                                            const std::vector<std::string>& arguments) {
    try {
        return run_pg_dump(options_.source, source.server_version(), arguments, stop_, tell_);
    } catch (const Error&) {
        const std::string lockers = who_locks(source, tables);
        if (lockers.empty()) throw;
        throw retry_error(fmt::format("unable to copy the source's schema: pg_dump has waited {} s for a lock: {}",
                                      options_.lock_wait_ms / 1000, lockers),
                          "Let that session finish, or end it (SELECT pg_cancel_backend(pid) on the source). It may be "
                          "waiting for the copy, and with a full stream the copy waits for this worker.");
    }
}

std::vector<DumpEntry> SchemaSync::dump(sql::Connection& source, const std::vector<TableName>& tables,
                                        std::vector<std::string> arguments) {
    for (const char* more : {"--no-owner", "--no-privileges", "--no-tablespaces", "--no-publications",
                             "--no-subscriptions", "--no-security-labels", "--no-comments"})
        arguments.emplace_back(more);
    arguments.push_back(fmt::format("--lock-wait-timeout={}", options_.lock_wait_ms));
    auto entries = parse_dump(dump_or_name_locker(source, tables, arguments));
    std::erase_if(entries, [](const DumpEntry& entry) { return !is_ours(entry); });
    return entries;
}

void SchemaSync::create(sql::Connection& target, const std::string& statements, const std::string& doing) {
    target.exec("BEGIN");
    try {
        if (const auto owner = target_owner(options_))
            make_as(target, *owner, statements, doing);
        else
            target.exec(statements, doing);
        origins_.commit(target);
    } catch (const SqlError& error) {
        if (error.action() != Action::retry) target.exec("ROLLBACK");
        throw;
    }
}

std::vector<SchemaSync::Failed> SchemaSync::try_all(sql::Connection& target, const std::vector<DumpEntry>& entries) {
    std::vector<Failed> failed;
    for (const DumpEntry& entry : entries) {
        try {
            create(target, entry.text, fmt::format("create {} '{}' on the target", entry.type, entry.name));
        } catch (const SqlError& error) {
            if (means_exists(entry, error)) continue;
            const bool later =
                means_missing(error) || is_key_to_elsewhere(entry, error) || is_no_obstacle(entry, error);
            if (!later) throw;
            failed.push_back({entry, fmt::format("{} (SQLSTATE {})", error.what(), error.sqlstate())});
        }
    }
    return failed;
}

void SchemaSync::warn(const std::vector<Failed>& failed) {
    for (const auto& [entry, reason] : failed) log_(LogLevel::warning, reason);
}

void SchemaSync::find_routed(sql::Connection& source, const std::vector<const Relation*>& tables) {
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
    if (!key.empty()) columns += ", PRIMARY KEY (" + key + ')';
    const std::string name = sql::quote_qualified(table.schema, table.table);
    if (!target.query("SELECT to_regnamespace($1) IS NOT NULL", {sql::quote_identifier(table.schema)}, {1, 1, 1})
             .boolean(0, 0))
        create(target, "CREATE SCHEMA " + sql::quote_identifier(table.schema),
               fmt::format("create schema '{}' on the target", table.schema));
    create(target, fmt::format("CREATE TABLE {} ({})", name, columns),
           fmt::format("create table '{}.{}' on the target", table.schema, table.table));
    log_(LogLevel::info, fmt::format("created table '{}.{}', named by the routing file, with its columns and key "
                                     "only",
                                     table.schema, table.table));
}

// A column that a rule leaves out gets no values, not that of its default either. A partition cannot allow NULL where
// its parents do not, so they must, too, before it is attached.
SchemaSync::LeftOut SchemaSync::left_out(sql::Connection& source, const std::vector<const Relation*>& tables) {
    LeftOut columns;
    for (const Relation* table : tables) {
        std::vector<std::string> come;
        for (const Column& column : table->columns) come.push_back(column.name);
        for (const auto& [of, column] : columns_without_value(source, {table->schema, table->table}, come))
            columns[of].insert(column);
    }
    return columns;
}

void SchemaSync::create_as_in_source(sql::Connection& source, sql::Connection& target,
                                     const std::vector<const Relation*>& relations, const std::vector<Oid>& types,
                                     const std::vector<const Relation*>& then) {
    const auto tables = names_of(relations);
    auto entries = dump(source, {}, {"--section=pre-data", "--exclude-table=*.*"});
    const SchemaDependencies needed(source, tables, types);
    std::erase_if(entries, [&](const DumpEntry& entry) { return !needed.contains(entry); });
    if (auto arguments = selection(source, tables); !arguments.empty()) {
        arguments.emplace_back("--section=pre-data");
        auto ours = dump(source, tables, arguments);
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
    take_turns(target);
    // Now that the dump is there: what has not changed by now had not changed in it.
    refuse_drift(source, target, relations, then);
    note_read(source);
    // A function may name a table's row type and a table's default a function: what fails is tried again, as long as
    // that gets any further.
    auto left = try_all(target, entries);
    for (std::size_t before = entries.size(); !left.empty() && left.size() < before;) {
        before = left.size();
        std::vector<DumpEntry> again;
        for (Failed& failed : left) again.push_back(std::move(failed.entry));
        left = try_all(target, again);
    }
    warn(left);
}

// Before anything is made, so that the next copy finds an empty target.
void SchemaSync::refuse_drift(sql::Connection& source, sql::Connection& target,
                              const std::vector<const Relation*>& tables, const std::vector<const Relation*>& then) {
    for (std::size_t i = 0; i < tables.size(); ++i) {
        const Relation& table = *tables[i];
        if (find_target_table(target, table.schema, table.table)) continue;
        const CurrentTable now = current_table(source, table.oid);
        const std::string drift = then.empty() ? describe_added(table, now) : describe_drift(*then[i], now);
        if (drift.empty()) continue;
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

void SchemaSync::create_tables(const std::vector<const Relation*>& tables, const std::vector<const Relation*>& then) {
    sql::Connection source = connect_source();
    find_routed(source, tables);
    sql::Connection target = connect_target();
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

void SchemaSync::run_parallel(const std::vector<std::vector<DumpEntry>>& groups) {
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::condition_variable ended;
    std::exception_ptr failure;
    std::vector<std::jthread> threads;
    auto running = std::min(groups.size(), static_cast<std::size_t>(std::max(1, options_.copy_workers)));
    const auto work = [&]() noexcept {
        try {
            sql::Connection target = connect_target();
            for (std::size_t i = next++; i < groups.size(); i = next++) warn(try_all(target, groups[i]));
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (!failure) failure = std::current_exception();
            next = groups.size();
        }
        const std::lock_guard lock(mutex);
        --running;
        ended.notify_one();
    };
    for (std::size_t i = running; i > 0; --i) threads.emplace_back(work);
    try {
        std::unique_lock lock(mutex);
        while (!ended.wait_for(lock, std::chrono::milliseconds(200), [&] { return running == 0; })) {
            lock.unlock();
            tell_();
            lock.lock();
        }
    } catch (...) {
        next = groups.size();
        throw;
    }
    if (failure) std::rethrow_exception(failure);
}

void SchemaSync::create_rest(std::vector<TableName> tables, const std::vector<const Relation*>& relations,
                             bool foreign_keys) {
    sql::Connection source = connect_source();
    find_routed(source, relations);  // they may have been created before a restart
    std::erase_if(tables, [this](const TableName& table) { return routed_.contains(table); });
    auto arguments = selection(source, tables);
    if (arguments.empty()) return;
    log_(LogLevel::info, "creating indexes, constraints and triggers on the target");
    arguments.emplace_back("--section=post-data");
    const auto entries = dump(source, tables, arguments);
    note_read(source);
    sql::Connection target = connect_target();
    take_turns(target);

    // Constraints lock their table, so those of one table follow each other; indexes of one table can be built at once.
    std::map<std::string_view, std::vector<DumpEntry>> constraints;
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
    warn(try_all(target, last));
    for (const auto& [schema, name] : tables) {
        const std::string table = sql::quote_qualified(schema, name);
        if (target.query("SELECT to_regclass($1) IS NOT NULL", {table}, {1, 1, 1}).boolean(0, 0))
            target.exec("ANALYZE " + table);
    }
}

}  // namespace pgsluice
