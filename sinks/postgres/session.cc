#include "sinks/postgres/session.h"

#include <fmt/format.h>

#include <utility>

namespace pgsluice {

namespace {

// Beside those of every connection (sql/connection.cc). Plans: every statement finds its rows by an index, and a
// generic plan made while the table was small must not scan it once it has grown.
constexpr const char* settings =
    "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off; "
    "SET enable_hashjoin = off; SET enable_mergejoin = off; SET max_parallel_workers_per_gather = 0; "
    "SET check_function_bodies = off";

std::string role_of(sql::Connection& connection) {
    return connection.query("SELECT pg_catalog.quote_ident(current_user)", {}, {1, 1, 1}).text(0, 0);
}

bool become_replica(sql::Connection& connection, const PostgresSinkOptions& options) {
    try {
        connection.exec("SET session_replication_role = replica");
        return true;
    } catch (const SqlError& error) {
        if (error.sqlstate() != "42501") throw;
        if (options.disable_foreign_keys) {
            throw stop_error(
                "unable to disable foreign keys on the target: the role may not set "
                "session_replication_role",
                fmt::format("Use a superuser, or from PostgreSQL 15 on: GRANT SET ON PARAMETER "
                            "session_replication_role TO {}; or leave --target-disable-foreign-keys out.",
                            role_of(connection)));
        }
        return false;
    }
}

}  // namespace

const char* replication_role_text(bool replica) {
    return replica ? "session_replication_role is replica: triggers and foreign keys do not fire"
                   : "the role may not set session_replication_role, so triggers fire and foreign keys are checked; "
                     "constraints are deferred where they are DEFERRABLE, others must hold after every statement";
}

PostgresSession open_session(const PostgresSinkOptions& options, std::stop_token stop) {
    sql::ConnectOptions target = options.target;
    if (target.role.empty()) target.role = "target";
    sql::Connection connection(std::move(target), std::move(stop));
    connection.exec(settings);
    if (!options.synchronous_commit) connection.exec("SET synchronous_commit = off");
    const bool replica = become_replica(connection, options);
    const auto setting = connection.query("SELECT current_setting('synchronous_commit') <> 'off'", {}, {1, 1, 1});
    return {std::move(connection), replica, setting.boolean(0, 0)};
}

}  // namespace pgsluice
