#include "cmd/cutover/write_stop.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "sinks/postgres/array.h"
#include "sql/error.h"
#include "sql/lock_timeout.h"
#include "sql/owned_objects.h"
#include "sql/plpgsql_settings.h"
#include "sql/quote.h"
#include "stream/base/pause.h"

namespace pgsluice {

namespace {

constexpr const char* trigger_name = "pgsluice_cutover";
constexpr const char* other_role_hint =
    "Give a --source-url of a superuser, or of the tables' owner who may create in the database. Or keep the "
    "application from writing yourself, and give --stop-writes none.";

constexpr const char* refusing =
    "BEGIN RAISE EXCEPTION 'table %.% refuses writes: it has moved to another server', tg_table_schema, tg_table_name "
    "USING ERRCODE = 'read_only_sql_transaction', DETAIL = 'By pgsluice cutover.'; END";
constexpr const char* allowing = "BEGIN RETURN NULL; END";

// Our triggers on tables of $1: the table, their function, and whether it refuses.
constexpr const char* triggers_query =
    "SELECT t.name, p.proname, p.prosrc LIKE '%RAISE%' FROM unnest($1::text[]) t (name) JOIN pg_trigger g ON g.tgrelid "
    "= to_regclass(t.name) JOIN pg_proc p ON p.oid = g.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace WHERE "
    "n.nspname = 'pgsluice' AND starts_with(p.proname, 'writes_stopped_')";

constexpr const char* writers_query =
    "SELECT string_agg(DISTINCT format('pid %s (%s, %s)', a.pid, a.application_name, a.state), ', ') FROM pg_locks l "
    "JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND "
    "l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.relation IN "
    "(SELECT to_regclass(t.name) FROM unnest($1::text[]) t (name))";

struct Stopping {
    std::string table;
    std::string function;
    bool refuses;
};

std::vector<Stopping> triggers_on(sql::Connection& connection, std::span<const std::string> tables) {
    const auto rows = connection.query(triggers_query, {text_array(tables)}, {3});
    std::vector<Stopping> found;
    for (int row = 0; row < rows.rows(); ++row)
        found.push_back({rows.text(row, 0), rows.text(row, 1), rows.boolean(row, 2)});
    return found;
}

std::string function_of(const std::string& group) { return "writes_stopped_" + group; }

std::string make_function(const std::string& name, const char* body) {
    return fmt::format(
        "CREATE OR REPLACE FUNCTION {}() RETURNS pg_catalog.trigger LANGUAGE plpgsql SET search_path = pg_catalog, "
        "pg_temp {} AS {};",
        sql::quote_qualified("pgsluice", name), sql::without_extra_checks, sql::quote_literal(body));
}

// Below: in the open transaction.

void lock(sql::Connection& connection, std::span<const std::string> tables) {
    std::vector<std::string> only;
    for (const std::string& table : tables) only.push_back("ONLY " + table);
    connection.exec(fmt::format("SET LOCAL lock_timeout = '{}'; LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE",
                                sql::gives_way_after, fmt::join(only, ", ")),
                    "lock the tables that move");
}

void make_triggers(sql::Connection& connection, std::span<const std::string> tables, const std::string& group) {
    const std::string function = function_of(group);
    connection.exec("CREATE SCHEMA IF NOT EXISTS pgsluice;" + make_function(function, refusing),
                    "make a function in schema pgsluice");
    sql::require_owned(connection, {"pgsluice", {}, {function}});
    std::string statements;
    for (const std::string& table : tables)
        statements += fmt::format(
            "CREATE OR REPLACE TRIGGER {} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {} FOR EACH STATEMENT "
            "EXECUTE FUNCTION {}();",
            trigger_name, table, sql::quote_qualified("pgsluice", function));
    connection.exec(statements, "stop writes to the tables that move");
}

bool try_to_stop(sql::Connection& connection, std::span<const std::string> tables, const std::string& group) {
    connection.exec("BEGIN");
    try {
        lock(connection, tables);
        make_triggers(connection, tables, group);
    } catch (const SqlError& error) {
        if (!sql::is_lock_timeout(error)) throw;
        connection.exec("ROLLBACK");
        return false;
    }
    connection.exec("COMMIT");
    return true;
}

void drop_triggers(sql::Connection& connection, const std::vector<Stopping>& triggers) {
    for (const Stopping& trigger : triggers) {
        try {
            connection.exec(fmt::format("BEGIN; SET LOCAL lock_timeout = '{}'; DROP TRIGGER {} ON {}; COMMIT",
                                        sql::gives_way_after, trigger_name, trigger.table));
        } catch (const SqlError& error) {
            if (!sql::is_lock_timeout(error)) throw;
            connection.exec("ROLLBACK");
        }
    }
}

// Once nothing uses it.
std::string drop_function(const std::string& name) {
    return fmt::format(
        "DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgfoid = "
        "pg_catalog.to_regproc({0})) THEN DROP FUNCTION IF EXISTS {1}(); END IF; END$$;",
        sql::quote_literal("pgsluice." + name), sql::quote_qualified("pgsluice", name));
}

constexpr const char* drop_schema =
    "DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE refclassid = "
    "'pg_catalog.pg_namespace'::pg_catalog.regclass AND refobjid = 'pgsluice'::pg_catalog.regnamespace AND deptype <> "
    "'p') THEN DROP SCHEMA pgsluice; END IF; END$$";

}  // namespace

std::vector<std::string> with_tables_above(sql::Connection& connection, std::span<const Oid> tables) {
    const auto rows = connection.query(
        "WITH RECURSIVE up(oid) AS (SELECT unnest($1::oid[]) UNION SELECT i.inhparent FROM up JOIN pg_inherits i ON "
        "i.inhrelid = up.oid) SELECT format('%I.%I', n.nspname, c.relname) FROM up JOIN pg_class c ON c.oid = up.oid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 1",
        {fmt::format("{{{}}}", fmt::join(tables, ","))}, {1});
    return rows.texts(0);
}

void require_may_stop_writes(sql::Connection& connection, std::span<const std::string> tables) {
    const auto schema = connection.query(
        "SELECT CASE WHEN to_regnamespace('pgsluice') IS NULL THEN has_database_privilege(current_database(), "
        "'CREATE') "
        "ELSE has_schema_privilege('pgsluice', 'CREATE') END, current_user",
        {}, {2, 1, 1});
    if (!schema.boolean(0, 0))
        throw stop_error(fmt::format("unable to stop writes to the source: role '{}' may not make a function in schema "
                                     "pgsluice",
                                     schema.text(0, 1)),
                         other_role_hint);
    const auto others = connection.query(
        "SELECT t.name, pg_get_userbyid(c.relowner), current_user FROM unnest($1::text[]) t (name) JOIN pg_class c ON "
        "c.oid = to_regclass(t.name) WHERE NOT pg_has_role(c.relowner, 'USAGE') LIMIT 1",
        {text_array(tables)}, {3, 0, 1});
    if (others.rows() == 0) return;
    throw stop_error(fmt::format("unable to stop writes to {}: it belongs to '{}', and the role is '{}'",
                                 others.text(0, 0), others.text(0, 1), others.text(0, 2)),
                     other_role_hint);
}

void stop_writes(sql::Connection& connection, std::span<const std::string> tables, const std::string& group,
                 std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!try_to_stop(connection, tables, group)) {
        const auto who = connection.query(writers_query, {text_array(tables)}, {1, 1, 1});
        if (std::chrono::steady_clock::now() > deadline)
            throw stop_error(fmt::format("unable to stop writes to the source: transactions that write to the tables "
                                         "stay open: {}",
                                         who.get(0, 0).value_or("others now than a moment ago")),
                             "End them, or run it again when less is written.");
        if (!pause(connection.stop(), std::chrono::milliseconds(200))) throw Interrupted{};
    }
}

std::vector<std::string> tables_stopped_by(sql::Connection& connection, const std::string& group) {
    return connection
        .query(
            "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE g.tgfoid = to_regproc($1)",
            {sql::quote_qualified("pgsluice", function_of(group))}, {1})
        .texts(0);
}

std::vector<std::string> tables_open_to_writes(sql::Connection& connection, std::span<const std::string> tables) {
    std::set<std::string> open(tables.begin(), tables.end());
    for (const Stopping& trigger : triggers_on(connection, tables))
        if (trigger.refuses) open.erase(trigger.table);
    return {open.begin(), open.end()};
}

std::size_t allow_writes(sql::Connection& connection, std::span<const std::string> tables) {
    const auto triggers = triggers_on(connection, tables);
    if (triggers.empty()) return 0;
    std::set<std::string> functions;
    for (const Stopping& trigger : triggers) functions.insert(trigger.function);
    std::string statements;
    for (const std::string& function : functions) statements += make_function(function, allowing);
    connection.exec(statements, "let the tables be written to again");
    drop_triggers(connection, triggers);
    statements.clear();
    for (const std::string& function : functions) statements += drop_function(function);
    connection.exec(statements + drop_schema);
    return static_cast<std::size_t>(std::ranges::count_if(triggers, &Stopping::refuses));
}

}  // namespace pgsluice
