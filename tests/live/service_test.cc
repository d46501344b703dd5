// Databases that only PGSERVICE names.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/nats_server.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

TEST_CASE("replicator, status and worker find their database by PGSERVICE alone") {
    const std::string source = shared_postgres().create_database();
    const std::string target = shared_postgres().create_database();
    shared_postgres().sql(source, "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
    shared_postgres().sql(target, "CREATE TABLE t (id int PRIMARY KEY)");
    const std::string file = temporary_directory("service") + "/pg_service.conf";
    std::ofstream out(file);
    for (const auto& [name, database] : {std::pair("from", source), std::pair("it's to", target)}) {
        out << "[" << name << "]\nhost=127.0.0.1\nport=" << shared_postgres().port()
            << "\nuser=postgres\ndbname=" << database << "\n";
    }
    out.close();
    const auto run_with = [&](const std::string& service, std::vector<std::string> words) {
        words.insert(words.begin(), PGSLUICE_BINARY);
        for (const char* more : {"--group", "svc", "--nats-url"}) words.emplace_back(more);
        words.push_back(shared_nats().url());
        const Finished done = run(words, {{"PGSERVICEFILE", file}, {"PGSERVICE", service}, {"HOME", "/nonexistent"}});
        CAPTURE(done.err);
        CHECK(done.code == 0);
        return done;
    };
    run_with("from", {"replicator", "--copy"});
    CHECK(contains(run_with("from", {"status", "--raw"}).out, "slot"));
    run_with("it's to", {"worker", "postgres", "--exit-after-snapshot"});
    CHECK(shared_postgres().rows(target, "SELECT id FROM t ORDER BY id") == std::vector<std::string>{"1", "2"});
    CHECK(run({PGSLUICE_BINARY, "teardown", "--group", "svc", "--nats-url", shared_nats().url(), "--source-url",
               "service=from", "--yes"},
              {{"PGSERVICEFILE", file}})
              .code == 0);
}
