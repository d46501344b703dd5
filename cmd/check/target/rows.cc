#include "cmd/check/target/rows.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "sinks/postgres/progress.h"
#include "sinks/postgres/snapshot/begin_and_end.h"
#include "sql/error.h"
#include "stream/full_name.h"

namespace pgsluice {

namespace {

// Whether this worker has written here before: then a start continues, and a copy knows its own rows.
bool has_begun(const PostgresSinkOptions& options, sql::Connection& connection) {
    const auto there = connection.query(
        "SELECT to_regclass('pgsluice.progress') IS NOT NULL AND has_schema_privilege('pgsluice', 'USAGE') AND "
        "has_table_privilege('pgsluice.progress', 'SELECT')",
        {}, {1, 1, 1});
    return there.get(0, 0).value_or("f") == "t" &&
           PostgresProgress::has_moved(connection, options.group, options.worker);
}

// Rows that are kept would be there twice where no key tells them.
bool is_in_the_way(const TargetMapping& mapping, ExistingRows existing) {
    return existing == ExistingRows::error || mapping.match != TargetMapping::Match::unique;
}

// Where the worker would not write, that was found before.
bool holds_some(const TargetMapping& mapping, PostgresSession& session) {
    sql::Connection& connection = session.connection;
    const std::string oid = std::to_string(mapping.table.oid);
    const auto may = connection.query(
        "SELECT has_table_privilege($1::oid, 'SELECT') AND has_schema_privilege((SELECT "
        "relnamespace FROM pg_class WHERE oid = $1::oid), 'USAGE')",
        {sql::Param(oid)}, {1, 1, 1});
    if (!may.boolean(0, 0)) return false;
    connection.exec("BEGIN");
    session.guard.forget();
    bool some = false;
    try {
        some = session.reads_true(written_table(mapping), fmt::format("EXISTS (SELECT FROM {})", mapping.table.only));
    } catch (const Error& error) {
        if (error.action() == Action::retry) throw;
    }
    session.guard.ended();
    connection.exec("ROLLBACK");
    return some;
}

}  // namespace

void look_at_rows(std::span<const TargetMapping> tables, const PostgresSinkOptions& options, PostgresSession& session,
                  Findings& found) {
    if (has_begun(options, session.connection)) return;
    std::vector<std::string> filled;
    for (const TargetMapping& mapping : tables)
        if (is_in_the_way(mapping, options.existing_rows) && holds_some(mapping, session))
            filled.push_back(mapping.table.name);
    if (filled.empty()) return;
    const Error error = holds_rows(filled, options.existing_rows);
    found.fail(error.what(), error.hint());
}

void look_at_what_fires(std::span<const TargetMapping> tables, PostgresSession& session, Findings& found) {
    constexpr const char* firing =
        "SELECT 'trigger ''' || t.tgname || '''' FROM pg_trigger t WHERE t.tgrelid = $1::oid AND NOT t.tgisinternal "
        "AND t.tgenabled IN ('A', $2::\"char\") ORDER BY 1";
    constexpr const char* checked =
        "SELECT 'foreign key ''' || x.conname || '''' FROM pg_constraint x WHERE x.conrelid = $1::oid AND x.contype = "
        "'f' ORDER BY 1";
    for (const TargetMapping& mapping : tables) {
        const std::string oid = std::to_string(mapping.table.oid);
        const std::string name = full_name(mapping.table);
        const auto triggers =
            session.connection.query(firing, {sql::Param(oid), sql::Param(session.replica ? "R" : "O")}, {1});
        for (int row = 0; row < triggers.rows(); ++row)
            found.warn(
                fmt::format("{} of '{}' fires for what the worker writes, which the source's triggers have done "
                            "already",
                            triggers.text(row, 0), name));
        if (session.replica) continue;
        const auto keys = session.connection.query(checked, {sql::Param(oid)}, {1});
        for (int row = 0; row < keys.rows(); ++row)
            found.warn(fmt::format("{} of '{}' is checked: a copy loads tables in any order, and stops at a row whose "
                                   "other row is not there yet",
                                   keys.text(row, 0), name),
                       "Use a superuser for the worker, or from PostgreSQL 15 on let its role set "
                       "session_replication_role (GRANT SET ON PARAMETER), or add the foreign key after the copy.");
    }
}

}  // namespace pgsluice
