#include "sinks/postgres/rights/target_owner.h"

#include <fmt/format.h>

#include "sinks/postgres/rights/table_guard.h"
#include "sql/error.h"

namespace pgsluice {

namespace {

// What a role may beyond its own objects; empty where that is nothing. Superusers are in every role.
constexpr const char* broad_rights =
    "SELECT CASE WHEN r.rolsuper THEN 'a superuser' ELSE pg_catalog.concat_ws(', ', "
    "CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END, CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END, "
    "(SELECT pg_catalog.string_agg(p.rolname, ', ' ORDER BY p.rolname) FROM pg_catalog.pg_roles p "
    "WHERE p.rolname = ANY (ARRAY['pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files', "
    "'pg_write_server_files', 'pg_execute_server_program']) AND pg_catalog.pg_has_role(r.oid, p.oid, 'USAGE'))) END "
    "FROM pg_catalog.pg_roles r WHERE r.rolname = COALESCE($1::name, current_user)";

std::string has(const std::string& rights) { return rights == "a superuser" ? "is " + rights : "has " + rights; }

}  // namespace

std::optional<std::string> target_owner(const PostgresSinkOptions& options) {
    return options.target_owner.empty() ? std::nullopt : std::optional(options.target_owner);
}

void require_target_owner(sql::Connection& connection, const PostgresSinkOptions& options) {
    const std::string& owner = options.target_owner;
    if (owner.empty()) return;
    const auto found =
        connection.query("SELECT FROM pg_catalog.pg_roles WHERE rolname = $1", {sql::Param(owner)}, {0, 0, 1});
    if (found.rows() == 0)
        throw stop_error(fmt::format("unable to use --target-owner: the target has no role '{}'", owner),
                         "Create it on the target, or name one that is there, as it is written in pg_roles.");
    const std::string grants = missing_grants(connection, owner);
    if (grants.empty()) return;
    throw stop_error(fmt::format("unable to use --target-owner: the worker's role may not act as '{}'", owner),
                     fmt::format("As a superuser, run on the target: {}.", grants));
}

void warn_of_rights(sql::Connection& connection, const PostgresSinkOptions& options, const Log& log) {
    const auto owner = target_owner(options);
    const auto found = connection.query(broad_rights, {owner ? sql::Param(*owner) : sql::Param()}, {1, 1, 1});
    const std::string rights = found.text(0, 0);
    if (rights.empty()) return;
    const std::string what =
        "what the source's users define (functions, checks, generated columns, index expressions, defaults) is "
        "evaluated with its rights";
    if (owner)
        log(LogLevel::warning,
            fmt::format("target: '{}' (--target-owner) {}: {}; name a role that has no more rights than the source's "
                        "users may have here",
                        *owner, has(rights), what));
    else
        log(LogLevel::warning,
            fmt::format("target: the worker's role {}, and tables that it makes belong to it: {}. Where you do not "
                        "trust them, name a role that owns what is made with --target-owner",
                        has(rights), what));
}

}  // namespace pgsluice
