#include "sql/connect/pooler.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <chrono>
#include <optional>
#include <string>

#include "sql/connect/connecting.h"

namespace pgsluice::sql {

namespace {

constexpr std::chrono::seconds second_connect_limit(2);
// Others may use the pool at the same time, and disturb one of these.
constexpr int rounds = 3;

std::string process_of(Connection& connection) {
    return connection.query("SELECT pg_catalog.pg_backend_pid()", {}, {1, 1, 1}).text(0, 0);
}

// A pooler tells each of its clients a process number of its own, to be used for cancelling.
bool is_pooled(const Connection& connection) {
    return connection.backend().pid != std::to_string(PQbackendPID(connection.raw()));
}

// Nothing when no session is free for it: in session mode it then waits for one.
std::optional<Connection> second_client(const Connection& first) {
    try {
        ConnectOptions options = at_same_place(first);
        options.settings.emplace_back("connect_timeout", std::to_string(second_connect_limit.count()));
        return Connection(options, first.stop(), Connection::Purpose::probe);
    } catch (const SqlError&) {
        return std::nullopt;
    }
}

// False in statement mode, where there are no transactions.
bool begins(Connection& connection) {
    try {
        connection.exec("BEGIN");
        return true;
    } catch (const SqlError& error) {
        // "transaction blocks not allowed in statement pooling mode"; it ends the connection, too.
        if (std::string_view(error.what()).find("pooling") == std::string_view::npos) throw;
        return false;
    }
}

// A pooler that shares sessions gives a client that asks again the one it has had last, or another one; and while a
// second client is in a transaction, it may have given it that of the first. Whichever it does, one of these shows it.
bool shares_in(Connection& first, Connection& second) {
    const std::string ours = process_of(first);
    if (process_of(first) != ours || !begins(second)) return true;
    const bool moved = process_of(second) == ours || process_of(first) != ours;
    second.exec("ROLLBACK");
    return moved;
}

bool shares_sessions(Connection& first) {
    for (int round = 0; round < rounds; ++round) {
        auto second = second_client(first);
        if (!second) {  // none was free, though the first is idle: unless it was given away, it is the first's own
            if (process_of(first) != first.backend().pid) return true;
            continue;
        }
        if (shares_in(first, *second)) return true;
    }
    return false;
}

Error shared(const Connection& connection) {
    return stop_error(
        fmt::format("unable to use the {} at '{}': a connection pooler in transaction mode is in between, which would "
                    "give our session, with its settings and locks, to other clients",
                    connection.options().role, describe(connection.options())),
        "Connect to the server itself, or to a pool in session mode (PgBouncer: pool_mode=session for this database "
        "or user).");
}

}  // namespace

void refuse_shared_session(Connection& connection) {
    if (is_pooled(connection) && shares_sessions(connection)) throw shared(connection);
}

}  // namespace pgsluice::sql
