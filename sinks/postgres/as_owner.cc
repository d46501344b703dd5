#include "sinks/postgres/as_owner.h"

#include <fmt/format.h>

#include "sql/error.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

// How values are read and written, names looked up and commits made durable, for all that follows in the session.
constexpr const char* settings =
    "pg_catalog.concat_ws('|', pg_catalog.current_setting('search_path'), pg_catalog.current_setting('DateStyle'), "
    "pg_catalog.current_setting('IntervalStyle'), pg_catalog.current_setting('TimeZone'), "
    "pg_catalog.current_setting('extra_float_digits'), pg_catalog.current_setting('bytea_output'), "
    "pg_catalog.current_setting('xmloption'), pg_catalog.current_setting('lc_monetary'), "
    "pg_catalog.current_setting('client_encoding'), pg_catalog.current_setting('row_security'), "
    "pg_catalog.current_setting('session_replication_role'), pg_catalog.current_setting('synchronous_commit'))";

// What the command's expressions could leave behind, to be run with the worker's rights later, is refused: settings,
// relations and types in pg_temp (which are found first), cursors that are read at the commit, SQL's prepared
// statements. Deferred triggers fire now. Qualified throughout, for the search_path may be changed by then.
constexpr const char* body = R"($body$
DECLARE
    before CONSTANT pg_catalog.text := {0};
BEGIN
    EXECUTE command;
    IF pg_catalog.current_setting('session_replication_role') OPERATOR(pg_catalog.=) 'replica' THEN
        SET CONSTRAINTS ALL IMMEDIATE;
    END IF;
    IF {0} OPERATOR(pg_catalog.<>) before THEN
        RAISE EXCEPTION 'it changed a setting of the session' USING ERRCODE = '42501';
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_cursor() WHERE is_holdable)
        OR EXISTS (SELECT FROM pg_catalog.pg_prepared_statement() WHERE from_sql)
        OR EXISTS (SELECT FROM pg_catalog.pg_class
                   WHERE relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())
        OR EXISTS (SELECT FROM pg_catalog.pg_type
                   WHERE typnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()) THEN
        RAISE EXCEPTION 'it left a cursor, a prepared statement or a temporary object' USING ERRCODE = '42501';
    END IF;
END$body$)";

}  // namespace

std::optional<std::string> owner_of(sql::Connection& connection, const std::vector<QualifiedName>& tables) {
    if (tables.empty()) return std::nullopt;
    std::string names;
    for (const QualifiedName& name : tables) {
        names += fmt::format("{}({}, {})", names.empty() ? "" : ", ", sql::quote_literal(name.schema),
                             sql::quote_literal(name.table));
    }
    const auto found = connection.query(
        fmt::format("SELECT DISTINCT pg_catalog.pg_get_userbyid(c.relowner), pg_catalog.pg_get_userbyid(c.relowner) "
                    "OPERATOR(pg_catalog.=) current_user "
                    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) "
                    "c.relnamespace WHERE EXISTS (SELECT FROM (VALUES {}) AS v (s, t) WHERE "
                    "n.nspname OPERATOR(pg_catalog.=) v.s::pg_catalog.name AND c.relname OPERATOR(pg_catalog.=) "
                    "v.t::pg_catalog.name)",
                    names),
        {}, {2});
    if (found.rows() == 0 || (found.rows() == 1 && found.boolean(0, 1))) return std::nullopt;
    if (found.rows() == 1) return found.text(0, 0);
    throw stop_error(fmt::format("unable to run a command on tables of several owners ('{}' and '{}')",
                                 found.text(0, 0), found.text(1, 0)),
                     "Run it on the target by hand, then start the worker with --target-ddl ignore until it is past "
                     "this command; or give the tables one owner.");
}

void run_as_owner(sql::Connection& connection, const std::string& owner, const std::string& command) {
    const std::string make = fmt::format(
        "CREATE FUNCTION pg_temp.pgsluice_as_owner(command pg_catalog.text) RETURNS pg_catalog.void LANGUAGE plpgsql "
        "SECURITY DEFINER AS {}; ALTER FUNCTION pg_temp.pgsluice_as_owner(pg_catalog.text) OWNER TO {}",
        fmt::format(fmt::runtime(body), settings), sql::quote_identifier(owner));
    try {
        connection.exec(make);
    } catch (const SqlError& error) {
        if (error.sqlstate() != "42501") throw;
        throw SqlError(error.action(), error.what(), error.sqlstate(),
                       fmt::format("The command runs as the table's owner: GRANT {} TO the worker's role (from "
                                   "PostgreSQL 16 on WITH SET TRUE), and GRANT TEMPORARY on the database to both.",
                                   sql::quote_identifier(owner)));
    }
    connection.query("SELECT pg_temp.pgsluice_as_owner($1)", {sql::Param(command)}, {1, 1, 1});
    connection.exec("DROP FUNCTION pg_temp.pgsluice_as_owner(pg_catalog.text)");
}

void warn_of_superuser(sql::Connection& connection, const Log& log) {
    const auto found = connection.query(
        "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) current_user", {}, {1, 1, 1});
    if (!found.boolean(0, 0)) return;
    log(LogLevel::warning,
        "target: the worker's role is a superuser: what the source's users define (checks, generated columns, index "
        "expressions, defaults of tables that this role owns) is evaluated with its rights; use a role that may only "
        "write these tables where you do not trust them");
}

}  // namespace pgsluice
