#include "tests/support/kept_sessions.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace pgsluice::test {

namespace {

constexpr std::size_t most_kept = 4;

// DISCARD ALL, but for the plans.
constexpr const char* forget =
    "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; DEALLOCATE ALL; UNLISTEN *; "
    "SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD SEQUENCES; DISCARD TEMP";

bool contains_any(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [&](auto word) { return text.find(word) != std::string_view::npos; });
}

// Kept sessions would be in the way, or only new ones see the effect.
bool concerns_sessions(std::string_view statements) {
    return contains_any(statements,
                        {"DATABASE", "ROLE", "USER", "ALTER SYSTEM", "pg_reload_conf", "GRANT", "REVOKE", "pg_stat_"});
}

bool leaves_nothing(std::string_view statements) {
    return contains_any(statements.substr(0, 6), {"SELECT", "SHOW"}) &&
           !contains_any(statements, {";", "set_config", "advisory", "currval", "dblink"});
}

// What no statement takes back.
bool marks_its_session(std::string_view statements) {
    return contains_any(statements, {"_session_setup", "LOAD '", "session_replication_role"});
}

// A session that was ended, or told something, has something to read.
bool is_quiet(const sql::Connection& connection) {
    pollfd socket{connection.socket(), POLLIN, 0};
    return ::poll(&socket, 1, 0) == 0;
}

bool is_idle(const sql::Connection& connection) { return PQtransactionStatus(connection.raw()) == PQTRANS_IDLE; }

// Others would lose their client_encoding by RESET ALL.
bool is_utf8(const sql::Connection& connection) {
    return std::string_view(PQparameterStatus(connection.raw(), "server_encoding")) == "UTF8";
}

}  // namespace

sql::Result KeptSessions::exec(const std::string& dbname, const std::string& statements, const Open& open) {
    if (concerns_sessions(statements)) clear();
    if (concerns_sessions(statements) || marks_its_session(statements)) return open().exec(statements);
    auto session = take(dbname, open);
    sql::Connection& connection = session.front().connection;
    auto result = connection.exec(statements);
    if (!leaves_nothing(statements)) {
        if (!is_idle(connection) || !is_utf8(connection)) return result;
        connection.exec(forget);
    }
    keep(std::move(session));
    return result;
}

void KeptSessions::clear() {
    const std::lock_guard lock(mutex_);
    idle_.clear();
}

std::list<KeptSessions::Session> KeptSessions::take(const std::string& dbname, const Open& open) {
    std::list<Session> taken;
    {
        const std::lock_guard lock(mutex_);
        idle_.remove_if([](const Session& session) { return !is_quiet(session.connection); });
        const auto found = std::ranges::find(idle_, dbname, &Session::dbname);
        if (found != idle_.end()) taken.splice(taken.begin(), idle_, found);
    }
    if (taken.empty()) taken.push_back({dbname, open()});
    return taken;
}

void KeptSessions::keep(std::list<Session> session) {
    const std::lock_guard lock(mutex_);
    idle_.splice(idle_.begin(), session);
    if (idle_.size() > most_kept) idle_.pop_back();
}

}  // namespace pgsluice::test
