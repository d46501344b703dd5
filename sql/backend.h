// The server process that serves a connection, and what one looks like from a second connection.
//
// Process numbers are used again, and what answers at an address may be another server by now: the times tell.
#pragma once

#include <string>

namespace pgsluice::sql {

class Connection;

struct Backend {
    std::string pid;  // as the server knows it: a pooler gives its clients numbers of its own
    std::string started;
    std::string server_started;
};

// Of the connection itself, in one round trip. Safe before the session's settings are made.
Backend read_backend(Connection& connection);

// What a look found.
struct BackendState {
    enum class Kind {
        elsewhere,  // another server answers, and nothing says that ours is gone
        gone,       // the process has ended, or its server
        waiting,    // for its client: it has answered, or was not asked
        working,
    };
    Kind kind = Kind::elsewhere;
    std::string text;   // for messages, e.g. "server process 4711 waits for pid 12 (psql, ...)"
    std::string trace;  // changes whenever a waiting process has done something
};

BackendState look_at(Connection& observer, const Backend& backend);
// Ends the process, if it is still the same.
void end_backend(Connection& observer, const Backend& backend);

// What a process waits for: "pid 4711 (psql, idle in transaction since ...)"; never a query's text. Empty when it waits
// for no other process.
std::string describe_blockers(Connection& observer, const std::string& pid);

}  // namespace pgsluice::sql
