#include "replicator/source/ddl/filling.h"

#include <fmt/format.h>

#include <chrono>

#include "sql/error.h"
#include "sql/quote.h"
#include "stream/base/pause.h"

namespace pgsluice::ddl {

std::string fill_function(const std::string& group) { return sql::quote_qualified("pgsluice", "fill_ddl_" + group); }

void await_earlier(sql::Connection& source, const Log& log) {
    const std::string end =
        source.query("SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())", {}, {1, 1, 1}).text(0, 0);
    const auto since = std::chrono::steady_clock::now();
    bool said = false;
    while (true) {
        const auto open = source.query(
            "SELECT count(*), coalesce(min(pid), 0) FROM (SELECT a.pid FROM pg_catalog.pg_stat_activity a "
            "WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid() "
            "AND pg_catalog.age(a.backend_xid) > pg_catalog.age($1::pg_catalog.xid8::pg_catalog.xid) UNION ALL "
            "SELECT 0 FROM pg_catalog.pg_prepared_xacts p WHERE p.database = pg_catalog.current_database() "
            "AND pg_catalog.age(p.transaction) > pg_catalog.age($1::pg_catalog.xid8::pg_catalog.xid)) o",
            {sql::Param(end)}, {2, 1, 1});
        if (open.integer(0, 0) == 0) {
            if (said) log(LogLevel::info, "transactions that began before DDL was captured have ended");
            return;
        }
        if (!said && std::chrono::steady_clock::now() - since >= std::chrono::seconds(10)) {
            said = true;
            log(LogLevel::warning, fmt::format("waiting until transactions that began before DDL was captured have "
                                               "ended: {} of them, process {} first",
                                               open.integer(0, 0), open.integer(0, 1)));
        }
        if (!pause(source.stop(), std::chrono::milliseconds(100))) throw Interrupted{};
    }
}

void fill(sql::Connection& source, const std::string& group) {
    const std::string statement = fmt::format("SELECT {}(200)", fill_function(group));
    while (source.query(statement, {}, {1, 1, 1}).integer(0, 0) > 0)
        if (!pause(source.stop(), std::chrono::milliseconds(10))) throw Interrupted{};
}

void forget_outdated(sql::Connection& source, const std::string& group) {
    const auto outdated = source.query(
        "DELETE FROM pgsluice.ddl_definition d WHERE d.\"group\" = $1 AND d.class <> 'filled' "
        "AND d.definition IS DISTINCT FROM pgsluice.definition(d.class, d.oid)",
        {sql::Param(group)}, {0});
    if (outdated.affected() == 0) return;
    source.query("DELETE FROM pgsluice.ddl_definition WHERE \"group\" = $1 AND class = 'filled'", {sql::Param(group)},
                 {0});
}

}  // namespace pgsluice::ddl
