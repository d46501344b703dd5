// A pooler between us and a database. In transaction mode it would give our session, with its settings and locks, to
// other clients: it is refused before the first setting is made. In session mode it is as good as none.
#include <doctest/doctest.h>

#include "sql/connection.h"
#include "sql/error.h"
#include "tests/support/pgbouncer.h"
#include "tests/support/pipeline.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

sql::ConnectOptions through(const PgBouncer& pooler, const std::string& database) {
    sql::ConnectOptions options = shared_postgres().connect(database);
    options.port = std::to_string(pooler.port());
    return options;
}

std::string refusal_of(const sql::ConnectOptions& options) {
    try {
        const sql::Connection connection(options);
    } catch (const Error& error) {
        CHECK(error.action() == Action::stop);
        return error.what() + ("; " + error.hint());
    }
    return "none";
}

// What a client of the application sees, in each of the sessions that the pool has.
void check_nothing_leaked(const PgBouncer& pooler, const std::string& database) {
    for (int i = 0; i < 5; ++i) {
        const auto found = run({"psql", "-XAtq", "-h", "127.0.0.1", "-p", std::to_string(pooler.port()), "-U",
                                "postgres", "-d", database, "-c",
                                "SELECT current_setting('session_replication_role'), current_setting('search_path'), "
                                "current_setting('statement_timeout'), current_setting('tcp_keepalives_idle')"});
        CHECK(found.out == "origin|\"$user\", public|7s|7200\n");
    }
}

void check_refused(const PgBouncerOptions& options) {
    const std::string database = shared_postgres().create_database();
    shared_postgres().sql(database, "ALTER DATABASE \"" + database + "\" SET statement_timeout = '7s'");
    const PgBouncer pooler(shared_postgres(), options);
    CHECK(refusal_of(through(pooler, database)).find("pooler in transaction mode") != std::string::npos);
    check_nothing_leaked(pooler, database);
}

}  // namespace

TEST_CASE("a pooler in transaction mode is refused, and no setting of ours has reached it") { check_refused({}); }

TEST_CASE("a pooler in transaction mode with a single session is refused") { check_refused({.pool_size = 1}); }

TEST_CASE("a pooler in transaction mode that uses its sessions in turn is refused, also when it has many") {
    check_refused({.settings = "server_round_robin = 1\nmin_pool_size = 5"});
}

TEST_CASE("a pooler in statement mode is refused") {
    const std::string database = shared_postgres().create_database();
    const PgBouncer pooler(shared_postgres(), {.pool_mode = "statement"});
    CHECK(refusal_of(through(pooler, database)).find("pooler in transaction mode") != std::string::npos);
}

TEST_CASE("a worker and a replicator end at once after a pooler in transaction mode") {
    const PgBouncer pooler(shared_postgres(), {});
    Pipeline pipeline;
    pipeline.go_through({.replicator_to_source = pooler.port(), .worker_to_target = pooler.port()});
    pipeline.start();
    for (Process* process : {&pipeline.worker(), &pipeline.replicator()}) {
        CHECK(process->wait() == 1);
        CHECK(process->err().find("pooler in transaction mode") != std::string::npos);
        CHECK(process->err().find("HINT: Connect to the server itself") != std::string::npos);
    }
}

TEST_CASE("a worker applies through a pooler in session mode") {
    const PgBouncer pooler(shared_postgres(), {.pool_mode = "session"});
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE rows (id int PRIMARY KEY)");
    pipeline.go_through({.worker_to_target = pooler.port()});
    pipeline.on_source("INSERT INTO rows SELECT generate_series(1, 1000)");
    pipeline.start();
    pipeline.on_source("DELETE FROM rows WHERE id < 10");
    pipeline.check_equal({"rows"});
    pipeline.stop();
}

TEST_CASE("a pool in session mode whose only session is ours will do") {
    const std::string database = shared_postgres().create_database();
    const PgBouncer pooler(shared_postgres(), {.pool_mode = "session", .pool_size = 1});
    CHECK(refusal_of(through(pooler, database)) == "none");
}
