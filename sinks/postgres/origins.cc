#include "sinks/postgres/origins.h"

#include <fmt/format.h>

#include <chrono>

#include "stream/origin.h"

namespace pgsluice {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* grant_hint =
    "Run as a superuser in the target database: GRANT EXECUTE ON FUNCTION pg_replication_origin_create(text), "
    "pg_replication_origin_session_setup(text), pg_replication_origin_session_reset() TO {}";
constexpr const char* room_hint =
    "Raise max_replication_slots (from PostgreSQL 18 on max_active_replication_origins) on the target and restart it, "
    "or drop an origin that nothing uses any more (SELECT pg_replication_origin_drop('name'))";
constexpr auto check_interval = std::chrono::seconds(10);

void create_if_missing(sql::Connection& connection, const std::string& name) {
    const auto found = connection.query("SELECT FROM pg_catalog.pg_replication_origin WHERE roname = $1", {name}, {0});
    if (found.rows() > 0) return;
    try {
        connection.query("SELECT pg_catalog.pg_replication_origin_create($1)", {name}, {1, 1, 1});
    } catch (const SqlError& error) {
        if (error.sqlstate() != "23505") throw;  // another connection of ours was faster
    }
}

// No right, no free place (max_replication_slots), or none at all.
bool cannot_mark(const SqlError& error) {
    return error.sqlstate() == "42501" || error.sqlstate() == "53400" || error.sqlstate() == "55000";
}

}  // namespace

std::string home_database(sql::Connection& connection) {
    try {
        const auto row = connection.query(
            "SELECT system_identifier, pg_catalog.current_database() FROM pg_catalog.pg_control_system()", {},
            {2, 1, 1});
        return database_id(row.text(0, 0), row.text(0, 1));
    } catch (const SqlError& error) {
        if (error.sqlstate() != "42501") throw;
        return "";
    }
}

std::string TargetOrigins::own_name(std::string_view made_in) const {
    const char* part = writer_ == Writer::repair ? "repair" : "main";
    return to_string(
        OriginName{options_.group, options_.worker, database_, part, std::string(made_in.empty() ? source_ : made_in)});
}

std::string TargetOrigins::shared_name() const {
    return to_string(OriginName{options_.group, options_.worker, database_, "copy", source_});
}

void TargetOrigins::open(sql::Connection& connection, const GroupInfo& source) {
    if (marks_ && source_ == database_id(source)) return;
    source_ = database_id(source);
    unmarked_.clear();
    const auto target = connection.query(
        "SELECT pg_catalog.current_setting('wal_level'), oid FROM pg_catalog.pg_database WHERE datname = "
        "pg_catalog.current_database()",
        {}, {2, 1, 1});
    if (target.text(0, 0) != "logical") return;
    database_ = static_cast<Oid>(target.integer(0, 1));
    try {
        // Each once, so that no right and no free place is missing later.
        if (writer_ == Writer::worker) take(connection, shared_name());
        take(connection, own_name(""));
        marks_ = true;
    } catch (const SqlError& error) {
        if (!cannot_mark(error)) throw;
        unmarked_ = error.what();
        const auto role = connection.query("SELECT pg_catalog.quote_ident(current_user)", {}, {1, 1, 1});
        way_out_ = error.sqlstate() == "42501" ? fmt::format(grant_hint, role.text(0, 0)) : room_hint;
        check_if_due(connection);
        log_(LogLevel::info,
             fmt::format("target: what is written is not marked with a replication origin, so a group that reads from "
                         "this target takes it for the target's own: {}",
                         unmarked_));
    }
}

void TargetOrigins::check_if_due(sql::Connection& connection) {
    if (unmarked_.empty() || options_.unmarked || Clock::now() < next_check_) return;
    next_check_ = Clock::now() + check_interval;
    refuse_source(connection);
}

void TargetOrigins::refuse_source(sql::Connection& connection) {
    const auto slots = connection.query(
        "SELECT slot_name FROM pg_catalog.pg_replication_slots WHERE slot_type = 'logical' AND slot_name LIKE "
        "'pgsluice\\_%' AND database = pg_catalog.current_database() ORDER BY 1 LIMIT 1",
        {}, {1});
    if (slots.rows() == 0) return;
    throw stop_error(
        fmt::format("unable to write to the target: a group reads from it (slot '{}'), and what is written cannot be "
                    "marked with a replication origin, so it might come back from there: {}",
                    slots.text(0, 0), unmarked_),
        way_out_ +
            "; or, where no group leads from there back to this one's source, start the worker with "
            "--target-unmarked.");
}

// Its session in the server may outlive a worker that was killed.
void TargetOrigins::take(sql::Connection& connection, const std::string& name) {
    if (!name_.empty()) connection.exec("SELECT pg_catalog.pg_replication_origin_session_reset()");
    name_.clear();
    create_if_missing(connection, name);
    const auto deadline = Clock::now() + std::chrono::milliseconds(options_.lock_wait_ms);
    while (true) {
        try {
            connection.query("SELECT pg_catalog.pg_replication_origin_session_setup($1)", {name}, {1, 1, 1});
            name_ = name;
            return;
        } catch (const SqlError& error) {
            if (error.sqlstate() != "55006" || Clock::now() > deadline) throw;
            connection.wait(false, 50);
        }
    }
}

void TargetOrigins::use(sql::Connection& connection, std::string_view made_in) {
    if (!marks()) return;
    const std::string wanted = own_name(made_in);
    if (wanted != name_) take(connection, wanted);
}

void TargetOrigins::commit(sql::Connection& other) {
    if (!marks()) {
        other.exec("COMMIT");
        return;
    }
    const std::lock_guard lock(committing_);
    other.query("SELECT pg_catalog.pg_replication_origin_session_setup($1)", {shared_name()}, {1, 1, 1});
    try {
        other.exec("COMMIT; SELECT pg_catalog.pg_replication_origin_session_reset()");
    } catch (const SqlError& error) {
        if (error.action() != Action::retry) other.exec("SELECT pg_catalog.pg_replication_origin_session_reset()");
        throw;
    }
}

}  // namespace pgsluice
