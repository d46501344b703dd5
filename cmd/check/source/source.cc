#include "cmd/check/source/source.h"

#include <fmt/format.h>

#include "cmd/check/sides.h"
#include "cmd/check/source/rights.h"
#include "cmd/check/source/room.h"
#include "cmd/check/source/tables.h"
#include "cmd/check/source/transactions.h"
#include "cmd/check/source/wal.h"
#include "replicator/source/ddl_capture.h"
#include "replicator/source/recovery.h"
#include "replicator/source/session.h"
#include "replicator/source/writing_workers.h"

namespace pgsluice {

namespace {

void look_at_server(sql::Connection& connection, bool from_standby, Findings& found) {
    const auto about = connection.query(
        "SELECT pg_catalog.current_setting('server_version'), current_user, pg_catalog.current_setting('wal_level')",
        {}, {3, 1, 1});
    found.ok(
        fmt::format("connected to '{}' as '{}', without a pooler that shares sessions: PostgreSQL {}, wal_level {}",
                    sql::describe(connection.options()), about.text(0, 1), about.text(0, 0), about.text(0, 2)));
    for (const auto& check : {check_version, check_wal_level}) found.attempt([&](const Log&) { check(connection); });
    found.attempt([&](const Log&) { check_primary(connection, from_standby); });
    found.attempt([&](const Log& log) { check_standby_settings(connection, log); });
}

void look_at_replication(const sql::ConnectOptions& options, CheckedSource& source, Findings& found,
                         const std::stop_token& stop) {
    const bool may = found.attempt([&](const Log&) {
        auto replication = connect_replication(options, stop);
        source.walsender = replication.connection().backend_pid();
        source.identity = replication.identify_system();
    });
    if (may) found.ok(fmt::format("the role may replicate, from timeline {}", source.identity->timeline));
}

void look_at_ddl(const ReplicatorOptions& options, CheckedSource& source, Findings& found) {
    if (!options.track_ddl) return;
    if (!found.attempt([&](const Log&) { check_ddl_on_standby(*source.connection); })) return;
    const auto check = [&](const Log&) { check_ddl_capture(*source.connection, options.names, ddl_scope_of(options)); };
    if (found.attempt(check)) found.ok("DDL can be captured");
}

// What a replicator needs, in the order of its start.
void look_at_all(const ReplicatorOptions& options, CheckedSource& source, Findings& found,
                 const std::stop_token& stop) {
    const auto look = [&](const std::function<void()>& check) { found.attempt([&](const Log&) { check(); }); };
    look([&] { look_at_server(*source.connection, options.from_standby, found); });
    look([&] { look_at_replication(options.source, source, found, stop); });
    look([&] { source.slot = find_slot(*source.connection, options.names.slot); });
    look([&] { look_at_room(options, source, found); });
    look([&] { look_at_wal_kept(options.names.slot, source, found); });
    look([&] { look_at_tables(options, source, found); });
    std::size_t tables = 0;
    look([&] { tables = look_at_rights(options, source, found); });
    look([&] { look_at_locks(options, source, tables, found); });
    look([&] { look_at_ddl(options, source, found); });
    look([&] { look_at_transactions(source, found, stop); });
    found.attempt([&](const Log& log) { log_writing_workers(*source.connection, options.origin, log); });
}

}  // namespace

std::vector<CheckFinding> look_at_source(const Settings& settings, CheckedSource& source, const std::stop_token& stop) {
    Findings found("source");
    ReplicatorOptions options = settings.replicator;
    if (!is_given(options.source)) options.source = settings.postgres.source;
    if (!is_given(options.source)) {
        found.skipped("not checked, for none is given (--source-url, or --host, --dbname and so on)");
        return found.take();
    }
    if (!found.attempt([&](const Log&) { source.connection.emplace(connect_source(options.source, stop)); })) {
        found.skipped("all else that is needed of it, for there is no connection");
        return found.take();
    }
    if (checks_replicator(settings)) {
        look_at_all(options, source, found, stop);
        return found.take();
    }
    found.skipped("only its tables are looked at, not what a replicator needs");
    options.mode = ReplicatorMode::copy;  // whether the source refuses updates is not asked
    found.attempt([&](const Log&) { look_at_tables(options, source, found); });
    return found.take();
}

}  // namespace pgsluice
