// The servers the other live tests stand on.
#include <doctest/doctest.h>

#include <filesystem>

#include "tests/support/nats_server.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"

using namespace pgsluice::test;

TEST_CASE("a throwaway PostgreSQL survives a crash with its data and takes settings") {
    PostgresServer server({.settings = {{"work_mem", "5MB"}}});
    const auto database = server.create_database();
    server.sql(database, "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'), (2, NULL)");
    server.stop_immediate();
    CHECK_THROWS(server.scalar(database, "SELECT 1"));
    server.start();
    CHECK(server.rows(database, "SELECT a, b FROM t ORDER BY a") == std::vector<std::string>{"1|x", "2|"});
    CHECK(server.scalar(database, "SHOW work_mem") == "5MB");
    CHECK(server.scalar(database, "SHOW wal_level") == "logical");
    CHECK(server.create_database("LATIN1") != database);
}

TEST_CASE("a PostgreSQL that demands passwords") {
    PostgresServer server({.password = true});
    CHECK(server.scalar("postgres", "SELECT 'in'") == "in");
    const auto refused = run({"psql", "-X", "-w", "-d", server.url("postgres"), "-c", "SELECT 1"});
    CHECK(refused.code == 0);
    auto wrong = server.url("postgres");
    wrong.replace(wrong.find("secret"), 6, "wrong!");
    CHECK(run({"psql", "-X", "-w", "-d", wrong, "-c", "SELECT 1"}).code != 0);
}

TEST_CASE("nats-server comes back on the same port with the same store") {
    NatsServer server;
    const auto url = server.url();
    server.kill();
    server.start();
    CHECK(server.url() == url);
    CHECK(std::filesystem::exists(server.store_dir()));
}

TEST_CASE("a child's code, output and death") {
    const auto finished = run({"sh", "-c", "echo out; echo \"$WORD\" >&2; exit 3"}, {{"WORD", "err"}});
    CHECK(finished.code == 3);
    CHECK(finished.out == "out\n");
    CHECK(finished.err == "err\n");
    Process sleeper({.argv = {"sleep", "100"}});
    CHECK(sleeper.running());
    sleeper.signal(SIGTERM);
    CHECK(sleeper.wait() == 128 + SIGTERM);
    CHECK(run({"/no/such/program"}).code == 127);
}
