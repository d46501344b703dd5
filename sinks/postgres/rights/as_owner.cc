#include "sinks/postgres/rights/as_owner.h"

#include <fmt/format.h>

#include "sinks/postgres/rights/owner_call.h"
#include "sql/error.h"
#include "sql/quote.h"

namespace pgsluice {

std::optional<std::string> owner_of(sql::Connection& connection, const std::vector<QualifiedName>& tables,
                                    const std::optional<std::string>& otherwise) {
    if (tables.empty()) return otherwise;
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
    if (found.rows() == 0) return otherwise;
    if (found.rows() == 1) return found.boolean(0, 1) ? std::nullopt : std::optional(found.text(0, 0));
    throw stop_error(fmt::format("unable to run a command on tables of several owners ('{}' and '{}')",
                                 found.text(0, 0), found.text(1, 0)),
                     "Run it on the target by hand, then start the worker with --target-ddl ignore until it is past "
                     "this command; or give the tables one owner.");
}

void run_as_owner(sql::Connection& connection, const std::optional<std::string>& owner, const std::string& command) {
    if (!owner) {
        connection.exec(command);
        return;
    }
    OwnerCalls calls;
    calls.run(connection, *owner, command);
    connection.exec(calls.drop_statement());
}

}  // namespace pgsluice
