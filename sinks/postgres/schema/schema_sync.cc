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
#include "sinks/postgres/schema/pg_dump.h"
#include "sql/quote.h"
#include "stream/recovery_hint.h"

namespace pgsluice {

namespace {

constexpr const char* target_settings =
    "SET check_function_bodies = off; SET client_min_messages = warning; SET maintenance_work_mem = '256MB'";

// Already there: duplicate schema, object, table, function, column; and by the entry's type a second primary key, a
// partition attached, a column that is an identity or has a default already.
bool means_exists(const SchemaEntry& entry, const SqlError& error) {
    constexpr std::array<std::string_view, 5> states{"42P06", "42710", "42P07", "42723", "42701"};
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> of_type{
        {{"CONSTRAINT", "42P16"}, {"TABLE ATTACH", "42809"}, {"INDEX ATTACH", "55000"}, {"SEQUENCE", "55000"}}};
    const std::pair<std::string_view, std::string_view> this_one(entry.type, error.sqlstate());
    return std::find(states.begin(), states.end(), error.sqlstate()) != states.end() ||
           std::find(of_type.begin(), of_type.end(), this_one) != of_type.end();
}

// A foreign key to a table that is not copied, or not to the end: it holds on the source, not here.
bool is_key_to_elsewhere(const SchemaEntry& entry, const SqlError& error) {
    return entry.type == "FK CONSTRAINT" && (error.sqlstate() == "23503" || error.sqlstate() == "42830");
}

// Something it needs is missing, which may come later in the script.
bool means_missing(const SqlError& error) {
    constexpr std::array<std::string_view, 6> states{"42P01", "42704", "42883", "3F000", "42703", "0A000"};
    return std::find(states.begin(), states.end(), error.sqlstate()) != states.end();
}

// A type, an extension or the like that cannot be made at all: the tables may do without. Not so when the server is at
// its limits (class 53) or was told to end (57).
bool is_no_obstacle(const SchemaEntry& entry, const SqlError& error) {
    return error.action() == Action::stop && SchemaDependencies::may_contain(entry) &&
           !error.sqlstate().starts_with("53") && !error.sqlstate().starts_with("57");
}

// Never needed for a table to hold rows, and not ours to create.
bool is_ours(const SchemaEntry& entry) {
    constexpr std::array<std::string_view, 10> others{
        "EVENT TRIGGER", "PUBLICATION", "PUBLICATION TABLE", "SUBSCRIPTION", "VIEW", "MATERIALIZED VIEW",
        "RULE",          "POLICY",      "ROW SECURITY",      "DEFAULT ACL"};
    return std::find(others.begin(), others.end(), entry.type) == others.end();
}

// "public.users" of "ALTER TABLE ONLY public.users\n    ADD CONSTRAINT ...", quoted where it must be.
std::string_view table_of(const SchemaEntry& entry) {
    const std::string_view text = entry.text;
    const auto at = text.find("ALTER TABLE ");
    return at == std::string_view::npos ? std::string_view() : text.substr(at, text.find('\n', at) - at);
}

constexpr const char* lock_not_available = "55P03";
constexpr std::chrono::seconds pg_dump_is_slow{10};

Error locked(const char* who, const std::string& lockers, const PostgresSinkOptions& options) {
    return retry_error(fmt::format("unable to copy the source's schema: {} has waited {} s for a lock: {}", who,
                                   options.lock_wait_ms / 1000, lockers),
                       "Let that session finish, or end it (SELECT pg_cancel_backend(pid) on the source). It may be "
                       "waiting for the copy, and with a full stream the copy waits for this worker.");
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
    std::vector<TableName> at_source;
    for (const TableName& table : tables) {
        const auto found = source_names_.find(table);
        at_source.push_back(found == source_names_.end() ? table : found->second);
    }
    sql::Connection source = connect_source();
    sql::Connection target = connect_target();
    for (const std::string& name : sequences_of(source, at_source)) {
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
    const auto since = std::chrono::steady_clock::now();
    bool said = false;
    const auto tell = [&] {
        tell_();
        if (said || std::chrono::steady_clock::now() - since < pg_dump_is_slow) return;
        said = true;
        log_(
            LogLevel::warning,
            fmt::format("pg_dump has run for {} s on the source at '{}' and has not answered yet: still waiting for it",
                        pg_dump_is_slow.count(), sql::describe(options_.source)));
    };
    try {
        return run_pg_dump(options_.source, source.server_version(), arguments, stop_, tell);
    } catch (const Error&) {
        const std::string lockers = who_locks(source, tables);
        if (lockers.empty()) throw;
        throw locked("pg_dump", lockers, options_);
    }
}

std::vector<SchemaEntry> SchemaSync::dump(sql::Connection& source, const std::vector<TableName>& tables,
                                          std::vector<std::string> arguments) {
    for (const char* more : {"--no-owner", "--no-privileges", "--no-tablespaces", "--no-publications",
                             "--no-subscriptions", "--no-security-labels", "--no-comments"})
        arguments.emplace_back(more);
    arguments.push_back(fmt::format("--lock-wait-timeout={}", options_.lock_wait_ms));
    auto entries = parse_dump(dump_or_name_locker(source, tables, arguments));
    std::erase_if(entries, [](const SchemaEntry& entry) { return !is_ours(entry); });
    return entries;
}

void SchemaSync::create(sql::Connection& target, const SchemaEntry& entry, const std::string& doing) {
    target.exec("BEGIN");
    try {
        const auto maker = target_owner(options_);
        const auto role = entry.table ? owner_of(target, {*entry.table}, maker) : maker;
        if (role)
            make_as(target, *role, entry.text, doing);
        else
            target.exec(entry.text, doing);
        origins_.commit(target);
    } catch (const SqlError& error) {
        if (error.action() != Action::retry) target.exec("ROLLBACK");
        throw;
    }
}

std::vector<SchemaSync::Failed> SchemaSync::try_all(sql::Connection& target, const std::vector<SchemaEntry>& entries) {
    std::vector<Failed> failed;
    for (const SchemaEntry& entry : entries) {
        if (!entry.condition.empty() && !target.query("SELECT " + entry.condition, {}, {1, 1, 1}).boolean(0, 0))
            continue;
        try {
            create(target, entry, fmt::format("create {} '{}' on the target", entry.type, entry.name));
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
    if (!key.empty()) columns += ", PRIMARY KEY (" + key + ')';
    const std::string name = sql::quote_qualified(table.schema, table.table);
    if (!target.query("SELECT to_regnamespace($1) IS NOT NULL", {sql::quote_identifier(table.schema)}, {1, 1, 1})
             .boolean(0, 0))
        create(target, {table.schema, "SCHEMA", "-", "CREATE SCHEMA " + sql::quote_identifier(table.schema)},
               fmt::format("create schema '{}' on the target", table.schema));
    create(target, {table.table, "TABLE", table.schema, fmt::format("CREATE TABLE {} ({})", name, columns)},
           fmt::format("create table '{}.{}' on the target", table.schema, table.table));
    log_(LogLevel::info,
         fmt::format("created table '{}.{}' with the columns that come and their key only", table.schema, table.table));
}

// A column that a rule leaves out gets no values, not that of its default either. A partition cannot allow NULL where
// its parents do not, so they must, too, before it is attached.
EmptyColumns SchemaSync::left_out(sql::Connection& source, const std::vector<const Relation*>& tables) {
    EmptyColumns columns;
    for (const Relation* table : tables) {
        std::vector<std::string> come;
        for (const Column& column : table->columns) come.push_back(column.name);
        for (const auto& [of, column] : columns_without_value(source, {table->schema, table->table}, come))
            columns[of].insert(column);
    }
    return columns;
}

std::vector<SchemaEntry> SchemaSync::dumped(sql::Connection& source, const std::vector<const Relation*>& relations,
                                            const std::vector<Oid>& types) {
    const auto tables = names_of(relations);
    auto entries = dump(source, {}, {"--section=pre-data", "--exclude-table=*.*"});
    const SchemaDependencies needed(source, tables, types);
    std::erase_if(entries, [&](const SchemaEntry& entry) { return !needed.contains(entry); });
    auto arguments = selection(source, tables);
    if (arguments.empty()) return entries;
    arguments.emplace_back("--section=pre-data");
    auto ours = dump(source, tables, arguments);
    const EmptyColumns columns = left_out(source, relations);
    for (SchemaEntry& entry : ours) {
        const auto found = columns.find({entry.schema, entry.name});
        if (entry.type != "TABLE" || found == columns.end()) continue;
        // In the same string, hence the same transaction: a table that is there is left as it is.
        for (const std::string& column : found->second)
            entry.text +=
                fmt::format("\nALTER TABLE {0} ALTER COLUMN {1} DROP NOT NULL, ALTER COLUMN {1} DROP DEFAULT;",
                            sql::quote_qualified(entry.schema, entry.name), sql::quote_identifier(column));
    }
    entries.insert(entries.end(), ours.begin(), ours.end());
    return entries;
}

SourceSchema SchemaSync::read(sql::Connection& source, const std::vector<const Relation*>& tables) {
    const auto names = source_names(source, tables);
    for (std::size_t i = 0; i < tables.size(); ++i) source_names_[{tables[i]->schema, tables[i]->table}] = names[i];
    try {
        return read_source_schema(source, names, options_.lock_wait_ms);
    } catch (const SqlError& error) {
        if (error.sqlstate() != lock_not_available) throw;
        source.exec("ROLLBACK");
        const std::string lockers = who_locks(source, names);
        if (lockers.empty()) throw;
        throw locked("this worker", lockers, options_);
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
    const auto entries = dumped(source, relations, types);
    take_turns(target);
    // Now that it was read: what has not changed by now had not changed then.
    refuse_drift(source, target, relations, then);
    note_read(source);
    make_all(target, entries);
}

void SchemaSync::make_all(sql::Connection& target, const std::vector<SchemaEntry>& entries) {
    // A function may name a table's row type and a table's default a function: what fails is tried again, as long as
    // that gets any further.
    auto left = try_all(target, entries);
    for (std::size_t before = entries.size(); !left.empty() && left.size() < before;) {
        before = left.size();
        std::vector<SchemaEntry> again;
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

void SchemaSync::create_dumped(const std::vector<const Relation*>& tables, const std::vector<const Relation*>& then) {
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

void SchemaSync::create_defined(const std::vector<const Relation*>& tables, const std::vector<const Relation*>& then) {
    sql::Connection source = connect_source();
    sql::Connection target = connect_target();
    log_(LogLevel::info, "creating the source's tables on the target");
    const SourceSchema schema = read(source, tables);
    require_made(target, schema.unread);
    const DefinedTables made = define_tables(schema.objects, tables, rules_);
    auto entries = entries_before_load(made.objects, made.empty);
    entries.insert(entries.begin(), schema.functions.begin(), schema.functions.end());
    take_turns(target);
    refuse_drift(source, target, then.empty() ? made.defined : tables, then);
    note_read(source);
    make_all(target, entries);
    for (const Relation* table : made.as_they_come) create_routed(source, target, *table);
}

void SchemaSync::create_tables(const std::vector<const Relation*>& tables, const std::vector<const Relation*>& then) {
    options_.schema_from == SchemaFrom::pg_dump ? create_dumped(tables, then) : create_defined(tables, then);
}

void SchemaSync::run_parallel(const std::vector<std::vector<SchemaEntry>>& groups) {
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

// Constraints lock their table, so those of one table follow each other; indexes of one table can be built at once.
EntriesAfterLoad SchemaSync::dumped_rest(sql::Connection& source, const std::vector<TableName>& tables) {
    auto arguments = selection(source, tables);
    arguments.emplace_back("--section=post-data");
    EntriesAfterLoad rest;
    std::map<std::string, std::vector<SchemaEntry>> constraints;
    for (SchemaEntry& entry : dump(source, tables, arguments)) {
        if (entry.type == "CONSTRAINT")
            constraints[std::string(table_of(entry))].push_back(std::move(entry));
        else
            (entry.type == "INDEX" ? rest.indexes : rest.last).push_back(std::move(entry));
    }
    for (auto& [table, of_table] : constraints) rest.constraints.push_back(std::move(of_table));
    return rest;
}

EntriesAfterLoad SchemaSync::defined_rest(sql::Connection& source, const std::vector<const Relation*>& relations) {
    const SourceSchema schema = read(source, relations);
    const DefinedTables made = define_tables(schema.objects, relations, rules_);
    EntriesAfterLoad rest = entries_after_load(made.objects);
    for (const SchemaEntry& trigger : schema.triggers)
        if (made.named_as_source.contains({trigger.table->schema, trigger.table->table})) rest.last.push_back(trigger);
    return rest;
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
    auto entries = dumps ? dumped_rest(source, tables) : defined_rest(source, relations);
    if (!foreign_keys)
        std::erase_if(entries.last, [](const SchemaEntry& entry) { return entry.type == "FK CONSTRAINT"; });
    note_read(source);
    sql::Connection target = connect_target();
    take_turns(target);
    run_parallel(entries.constraints);
    warn(try_all(target, entries.constraints_above));
    std::vector<std::vector<SchemaEntry>> indexes;
    for (SchemaEntry& index : entries.indexes) indexes.push_back({std::move(index)});
    run_parallel(indexes);
    warn(try_all(target, entries.last));
    for (const auto& [schema, name] : tables) {
        const std::string table = sql::quote_qualified(schema, name);
        if (target.query("SELECT to_regclass($1) IS NOT NULL", {table}, {1, 1, 1}).boolean(0, 0))
            target.exec("ANALYZE " + table);
    }
}

}  // namespace pgsluice
