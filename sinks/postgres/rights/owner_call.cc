#include "sinks/postgres/rights/owner_call.h"

#include <fmt/format.h>

#include <array>

#include "sinks/postgres/array.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

// How values are read and written, names looked up, statements planned and commits made durable, for all that follows
// in the session.
constexpr std::array settings{"search_path",
                              "DateStyle",
                              "IntervalStyle",
                              "TimeZone",
                              "extra_float_digits",
                              "bytea_output",
                              "xmloption",
                              "xmlbinary",
                              "lc_monetary",
                              "lc_numeric",
                              "lc_time",
                              "client_encoding",
                              "row_security",
                              "array_nulls",
                              "transform_null_equals",
                              "standard_conforming_strings",
                              "backslash_quote",
                              "quote_all_identifiers",
                              "session_replication_role",
                              "synchronous_commit",
                              "transaction_read_only",
                              "transaction_isolation",
                              "default_transaction_read_only",
                              "default_transaction_isolation",
                              "statement_timeout",
                              "lock_timeout",
                              "idle_in_transaction_session_timeout",
                              "idle_session_timeout",
                              "transaction_timeout",
                              "gin_fuzzy_search_limit",
                              "exit_on_error",
                              "check_function_bodies",
                              "default_table_access_method",
                              "default_tablespace",
                              "temp_tablespaces",
                              "default_toast_compression",
                              "default_text_search_config",
                              "plan_cache_mode",
                              "enable_seqscan",
                              "enable_indexscan",
                              "enable_nestloop",
                              "enable_hashjoin",
                              "enable_mergejoin",
                              "jit",
                              "client_min_messages"};

std::string all_settings() {
    std::string list;
    for (const char* name : settings) list += fmt::format(", pg_catalog.current_setting('{}', true)", name);
    return fmt::format("pg_catalog.concat_ws('|'{})", list);
}

// The session's temporary objects, and of functions, this one among them, which version.
constexpr const char* all_objects =
    "(SELECT COALESCE(pg_catalog.string_agg(pg_catalog.concat_ws(':', d.classid, d.objid, p.ctid), ' ' ORDER BY "
    "d.classid, d.objid), '') FROM pg_catalog.pg_depend d LEFT JOIN pg_catalog.pg_proc p ON p.oid "
    "OPERATOR(pg_catalog.=) d.objid AND d.classid OPERATOR(pg_catalog.=) "
    "'pg_catalog.pg_proc'::pg_catalog.regclass WHERE d.refclassid OPERATOR(pg_catalog.=) "
    "'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid OPERATOR(pg_catalog.=) "
    "pg_catalog.pg_my_temp_schema())";

// How many rows of the tables with deferrable triggers have been written in this transaction, and in which files the
// tables are: only a row that is written defers a trigger. TRUNCATE takes the numbers back, but gives the table another
// file, where that is not one of its own subtransaction.
constexpr const char* all_deferring_writes =
    "(SELECT COALESCE(pg_catalog.string_agg(pg_catalog.concat_ws(':', g.oid, g.tgrelid, "
    "pg_catalog.pg_relation_filenode(g.tgrelid), pg_catalog.pg_stat_get_xact_tuples_inserted(g.tgrelid), "
    "pg_catalog.pg_stat_get_xact_tuples_updated(g.tgrelid), pg_catalog.pg_stat_get_xact_tuples_deleted(g.tgrelid)), "
    "' ' ORDER BY g.oid), '') FROM pg_catalog.pg_trigger g WHERE g.tgdeferrable AND (g.tgfoid OPERATOR(pg_catalog.>=) "
    "16384::pg_catalog.oid OR g.tgfoid OPERATOR(pg_catalog.=) "
    "'pg_catalog.unique_key_recheck'::pg_catalog.regproc))";

// {0} the parameters, as EXECUTE takes them; {1} settings; {2} objects; {3} deferring writes. Qualified throughout, for
// the search_path may be changed by then. Refused is what the statement's code could leave behind, to be run with the
// worker's rights: settings, objects in pg_temp (which are found first), cursors that are read at the commit, SQL's
// prepared statements.
//
// Deferred triggers fire now, and again where these have deferred others; the block with EXCEPTION is a subtransaction.
// Who sees to it that this does not end would have them run at the commit.
constexpr const char* body = R"(
DECLARE
    settings CONSTANT pg_catalog.text := {1};
    objects CONSTANT pg_catalog.text := {2};
    number pg_catalog.int8;
    written pg_catalog.text;
BEGIN
    IF returns_value THEN
        EXECUTE command INTO number{0};
    ELSE
        EXECUTE command{0};
        GET DIAGNOSTICS number = ROW_COUNT;
    END IF;
    FOR i IN 1..8 LOOP
        written := {3};
        BEGIN
            SET CONSTRAINTS ALL IMMEDIATE;
        EXCEPTION WHEN OTHERS THEN
            RAISE;
        END;
        EXIT WHEN {3} OPERATOR(pg_catalog.=) written;
        written := NULL;
    END LOOP;
    IF written IS NULL THEN
        RAISE EXCEPTION 'its deferred triggers defer others without end' USING ERRCODE = '42501';
    END IF;
    IF written OPERATOR(pg_catalog.<>) '' AND NOT pg_catalog.current_setting('track_counts')::pg_catalog.bool THEN
        RAISE EXCEPTION 'whether it left deferred triggers is not known while track_counts is off'
            USING ERRCODE = '42501';
    END IF;
    IF {1} OPERATOR(pg_catalog.<>) settings THEN
        RAISE EXCEPTION 'it changed a setting of the session' USING ERRCODE = '42501';
    END IF;
    IF {2} OPERATOR(pg_catalog.<>) objects
        OR EXISTS (SELECT FROM pg_catalog.pg_cursor() WHERE is_holdable)
        OR EXISTS (SELECT FROM pg_catalog.pg_prepared_statement() WHERE from_sql) THEN
        RAISE EXCEPTION 'it left a cursor, a prepared statement or a temporary object' USING ERRCODE = '42501';
    END IF;
    RETURN number;
END)";

std::string using_parameters(std::size_t count) {
    std::string list;
    for (std::size_t i = 1; i <= count; ++i) list += fmt::format("{}params[{}]", i == 1 ? " USING " : ", ", i);
    return list;
}

constexpr const char* argument_types = "(pg_catalog.text, pg_catalog.bool, pg_catalog.text[])";

std::string create_statements(const std::string& function, const std::string& owner, std::size_t parameters) {
    return fmt::format(
        "CREATE FUNCTION {0}(command pg_catalog.text, returns_value pg_catalog.bool, params pg_catalog.text[]) RETURNS "
        "pg_catalog.int8 LANGUAGE plpgsql SECURITY DEFINER AS $body${2}$body$; ALTER FUNCTION {0}{1} OWNER TO {3}",
        function, argument_types,
        fmt::format(fmt::runtime(body), using_parameters(parameters), all_settings(), all_objects,
                    all_deferring_writes),
        sql::quote_identifier(owner));
}

}  // namespace

// A rollback to a savepoint may have dropped it.
std::string OwnerCalls::function_for(sql::Connection& connection, const std::string& owner, std::size_t parameters) {
    std::string& function = made_[{owner, parameters}];
    if (!function.empty() && connection
                                 .query("SELECT pg_catalog.to_regprocedure($1) IS NOT NULL",
                                        {sql::Param(function + argument_types)}, {1, 1, 1})
                                 .boolean(0, 0))
        return function;
    function = fmt::format("pg_temp.pgsluice_as_owner_{}", ++count_);
    try {
        connection.exec(create_statements(function, owner, parameters));
    } catch (const SqlError& error) {
        if (error.sqlstate() != "42501") throw;
        throw SqlError(error.action(), error.what(), error.sqlstate(),
                       fmt::format("The command runs as the table's owner: GRANT {} TO the worker's role (from "
                                   "PostgreSQL 16 on WITH SET TRUE), and GRANT TEMPORARY on the database to both.",
                                   sql::quote_identifier(owner)));
    }
    return function;
}

std::optional<std::int64_t> OwnerCalls::run(sql::Connection& connection, const std::string& owner,
                                            const std::string& statement, std::span<const sql::Param> params,
                                            Answer answer) {
    const std::string function = function_for(connection, owner, params.size());
    const std::string texts = nullable_text_array(params);
    const auto result = connection.query(
        fmt::format("SELECT {}($1, $2, $3)", function),
        {sql::Param(statement), sql::Param(answer == Answer::value ? "t" : "f"), sql::Param(texts)}, {1, 1, 1});
    return result.get(0, 0) ? std::optional(result.integer(0, 0)) : std::nullopt;
}

std::string OwnerCalls::drop_statement() const {
    std::string statement;
    for (const auto& [whose, function] : made_)
        statement +=
            fmt::format("{}{}{}", statement.empty() ? "DROP FUNCTION IF EXISTS " : ", ", function, argument_types);
    return statement;
}

}  // namespace pgsluice
