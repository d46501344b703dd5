#include "sql/backend.h"

#include <fmt/format.h>

#include "sql/connection.h"

namespace pgsluice::sql {

namespace {

// No operator here: the search path may still be a user's.
constexpr const char* self_query =
    "SELECT a.pid, EXTRACT(epoch FROM a.backend_start)::pg_catalog.text, "
    "EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time())::pg_catalog.text "
    "FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) AS a";

// A process that waits for its client does nothing between two looks at which all of this is the same: a COPY that
// trickles in over a slow line counts bytes, and each message of a pipeline moves a time.
constexpr const char* look_query =
    "SELECT pg_catalog.pg_is_in_recovery(), "
    "  EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time())::pg_catalog.text, a.pid IS NOT NULL, "
    "  coalesce(a.wait_event_type, ''), coalesce(a.wait_event, ''), "
    "  pg_catalog.concat_ws(' ', a.state, a.wait_event, a.state_change, a.query_start, c.bytes_processed) "
    "FROM (SELECT $1::pg_catalog.int4 AS pid) AS w "
    "LEFT JOIN pg_catalog.pg_stat_get_activity($1::pg_catalog.int4) AS a "
    "  ON EXTRACT(epoch FROM a.backend_start)::pg_catalog.text = $2 "
    "LEFT JOIN pg_catalog.pg_stat_progress_copy AS c ON c.pid = a.pid";

// For its client, or, a walsender, for something to send.
bool waits_for_client(std::string_view event) {
    for (const std::string_view known : {"ClientRead", "ClientWrite", "WalSenderMain", "WalSenderWaitForWAL",
                                         "WalSenderWaitForWal", "WalSenderWriteData"}) {
        if (event == known) return true;
    }
    return false;
}

BackendState not_found(const Backend& backend, bool same_server, bool in_recovery) {
    if (same_server) return {BackendState::Kind::gone, fmt::format("server process {} has ended", backend.pid), ""};
    // A primary where ours was: ours was restarted, or lost its place. A standby says nothing about it.
    if (!in_recovery) return {BackendState::Kind::gone, "the server was restarted, or another one took its place", ""};
    return {BackendState::Kind::elsewhere, "a standby answers on a second connection", ""};
}

BackendState at_work(Connection& observer, const Backend& backend, const std::string& type, const std::string& event) {
    std::string doing = "is at work";
    if (type == "Lock") {
        const std::string whom = describe_blockers(observer, backend.pid);
        doing = "waits for " + (whom.empty() ? "a lock" : whom);
    } else if (event == "SyncRep") {
        doing = "waits for a synchronous standby";
    }
    return {BackendState::Kind::working, fmt::format("server process {} {}", backend.pid, doing), ""};
}

}  // namespace

Backend read_backend(Connection& connection) {
    const Result self = connection.exec(self_query);  // a replication connection knows only the simple protocol
    return {self.text(0, 0), self.text(0, 1), self.text(0, 2)};
}

BackendState look_at(Connection& observer, const Backend& backend) {
    const Result found = observer.query(look_query, {Param(backend.pid), Param(backend.started)}, {6, 1, 1});
    if (!found.boolean(0, 2))
        return not_found(backend, found.text(0, 1) == backend.server_started, found.boolean(0, 0));
    const std::string event = found.text(0, 4);
    if (!waits_for_client(event)) return at_work(observer, backend, found.text(0, 3), event);
    return {BackendState::Kind::waiting, fmt::format("server process {} waits for us", backend.pid), found.text(0, 5)};
}

void end_backend(Connection& observer, const Backend& backend) {
    observer.query(
        "SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_get_activity($1::pg_catalog.int4) AS a "
        "WHERE EXTRACT(epoch FROM a.backend_start)::pg_catalog.text = $2",
        {Param(backend.pid), Param(backend.started)}, {1, 0, 1});
}

std::string describe_blockers(Connection& observer, const std::string& pid) {
    const auto found = observer.query(
        "SELECT b.pid, coalesce(nullif(a.application_name, ''), a.backend_type, 'a prepared transaction'), a.state, "
        "       coalesce(pg_catalog.date_trunc('second', a.xact_start)::pg_catalog.text, 'unknown') "
        "FROM (SELECT DISTINCT pid FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1::pg_catalog.int4)) AS u(pid)) "
        "b "
        "LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid ORDER BY a.xact_start NULLS LAST LIMIT 5",
        {Param(pid)}, {4});
    std::string text;
    for (int row = 0; row < found.rows(); ++row) {
        const auto state = found.get(row, 2);
        text += fmt::format("{}pid {} ({}{}{}, transaction begun {})", text.empty() ? "" : "; ", found.text(row, 0),
                            found.text(row, 1), state ? ", " : "", state.value_or(""), found.text(row, 3));
    }
    return text;
}

}  // namespace pgsluice::sql
