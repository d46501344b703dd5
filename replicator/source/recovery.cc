#include "replicator/source/recovery.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sql/error.h"

namespace pgsluice {

namespace {

constexpr int first_version_with_slots = 160000;

}  // namespace

void check_primary(sql::Connection& connection, bool from_standby) {
    if (!in_recovery(connection)) return;
    const bool can = connection.server_version() >= first_version_with_slots;
    if (can && from_standby) return;
    const std::string source = sql::describe(connection.options());
    if (from_standby)
        throw stop_error(fmt::format("unable to read from standby '{}': it runs PostgreSQL {}", source,
                                     connection.server_version() / 10000),
                         "Connect to the primary: standbys can be read from version 16 on.");
    // As it would answer itself to the first statement that writes.
    throw SqlError(Action::retry, fmt::format("unable to use source '{}': it is a standby", source), "25006",
                   can ? "Connect to the primary, or read from the standby with --from-standby."
                       : "Connect to the primary: publications and slots are made there.");
}

void check_standby_settings(sql::Connection& connection, const Log& log) {
    if (!in_recovery(connection)) return;
    const auto found =
        connection.query("SELECT pg_catalog.current_setting('hot_standby_feedback')", {}, {1, 1, 1}).text(0, 0);
    if (found != "on")
        log(LogLevel::warning,
            "the source is a standby with hot_standby_feedback = off: its primary may remove rows of the catalog that "
            "the slot needs, and the slot is then lost. Set hot_standby_feedback = on there, and a primary_slot_name");
}

void refuse_on_standby(sql::Connection& connection, const std::string& doing, std::span<const std::string> statements,
                       bool retry) {
    if (!in_recovery(connection)) return;
    const std::string database = connection.query("SELECT pg_catalog.current_database()", {}, {1, 1, 1}).text(0, 0);
    const std::string message = fmt::format("unable to {}: the source is a standby", doing);
    const std::string hint =
        fmt::format("Run on its primary, in database '{}': {};", database, fmt::join(statements, "; "));
    throw retry ? retry_error(message, hint) : stop_error(message, hint);
}

void check_ddl_on_standby(sql::Connection& connection) {
    if (!in_recovery(connection)) return;
    throw stop_error("unable to capture DDL: the source is a standby, where no event triggers can be made",
                     "Connect to the primary, or leave out --track-ddl.");
}

StandbySnapshotWait::~StandbySnapshotWait() {
    if (said_) log_(LogLevel::info, fmt::format("creating slot '{}' no longer waits for the primary", slot_));
}

void StandbySnapshotWait::look() {
    const auto now = Clock::now();
    if (!standby_ || now < next_log_) return;
    next_log_ = now + std::chrono::seconds(10);
    said_ = true;
    log_(LogLevel::warning, fmt::format("creating slot '{}' on the standby waits until its primary logs which "
                                        "transactions are running, which an idle one does not. Run on the primary, as "
                                        "a superuser: SELECT pg_log_standby_snapshot()",
                                        slot_));
}

}  // namespace pgsluice
