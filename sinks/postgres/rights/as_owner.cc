#include "sinks/postgres/rights/as_owner.h"

#include <fmt/format.h>

#include "sinks/postgres/rights/owner_call.h"
#include "sql/error.h"
#include "sql/quote.h"

namespace pgsluice {

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
    OwnerCalls calls;
    calls.run(connection, owner, command);
    connection.exec(calls.drop_statement());
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
