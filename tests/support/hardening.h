// Everything that keeps others out, at once: TLS with client certificates on all three links, a role of least rights on
// the source and one on the target, NATS users by role, sealed streams.
//
// With PGSLUICE_TEST_HARDENED=1 in the environment the shared servers are so, and with them each pipeline between them.
#pragma once

#include <string>
#include <vector>

namespace pgsluice::test {

bool hardened_by_environment();

// The settings and the pg_hba.conf of a PostgreSQL server. `directory` gets its certificate and key.
struct HardenedPostgres {
    std::string settings;  // lines of postgresql.conf
    std::string hba;
};
HardenedPostgres harden_postgres(const std::string& directory);
// Makes the roles `reader`, `writer` and `app`, the tables' owner, as a superuser in any database.
std::string create_hardened_roles();
// Gives all that users have made in a database to `app`, and the roles what they need there. To be repeated after each
// command that makes something.
std::string hand_over(const std::string& database);

// nats-server's configuration: examples/nats-permissions.conf for this group.
std::string harden_nats(const std::string& group);

// The URLs and flags with which a role connects; `role` is one of replicator, worker, viewer, operator.
std::string hardened_postgres_url(const std::string& user, int port, const std::string& database);
std::vector<std::string> hardened_nats_flags(const std::string& role, int port);

}  // namespace pgsluice::test
