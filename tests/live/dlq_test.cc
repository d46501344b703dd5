// A row that the target refuses: parked, listed, replayed once the cause is gone.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/support/nats_server.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"

using namespace pgsluice::test;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct Parking {
    std::string group = "parking";
    std::string source = shared_postgres().create_database();
    std::string target = shared_postgres().create_database();

    Parking() {
        shared_postgres().sql(source, "CREATE TABLE t (id int PRIMARY KEY, v int)");
        shared_postgres().sql(target, "CREATE TABLE t (id int PRIMARY KEY, v int CHECK (v <> 13))");
    }
    ~Parking() { (void)pgsluice({"teardown", "--source-url", shared_postgres().url(source), "--yes"}); }

    [[nodiscard]] std::vector<std::string> words(std::vector<std::string> words) const {
        words.insert(words.begin(), PGSLUICE_BINARY);
        words.insert(words.end(), {"--group", group, "--nats-url", shared_nats().url()});
        return words;
    }
    [[nodiscard]] Finished pgsluice(const std::vector<std::string>& command) const { return run(words(command)); }
    [[nodiscard]] Process start(const std::vector<std::string>& command) const {
        return Process({.argv = words(command), .environment = {}, .stdout_file = "", .run_as = 0});
    }
    [[nodiscard]] std::string rows() const {
        return shared_postgres().scalar(target, "SELECT string_agg(id || '=' || v, ' ' ORDER BY id) FROM t");
    }
};

}  // namespace

TEST_CASE("a refused row is parked, listed, replayed and gone") {
    const Parking parking;
    const std::string target = shared_postgres().url(parking.target);
    Process replicator = parking.start({"replicator", "--source-url", shared_postgres().url(parking.source)});
    Process worker = parking.start({"worker", "postgres", "--target-url", target, "--on-error", "dead-letter"});
    REQUIRE(eventually("the worker reads", [&] { return contains(worker.err(), "reads stream"); }));
    shared_postgres().sql(parking.source, "INSERT INTO t VALUES (1, 1), (2, 13), (3, 3)");
    CHECK(eventually("the good rows land", [&] { return parking.rows() == "1=1 3=3"; }));
    worker.signal(SIGTERM);
    CHECK(worker.wait() == 0);

    const Finished listed = parking.pgsluice({"dlq", "list"});
    INFO(listed.err);
    CHECK(listed.code == 0);
    CHECK(contains(listed.out, "message 1: insert of 'public.t' at "));
    CHECK(contains(listed.out, "parked by worker 'postgres': "));

    const Finished refused = parking.pgsluice({"dlq", "replay", "--target-url", target});
    CHECK(refused.code == 1);
    CHECK(parking.pgsluice({"dlq", "list"}).out == listed.out);

    shared_postgres().sql(parking.target, "ALTER TABLE t DROP CONSTRAINT t_v_check");
    const Finished replayed = parking.pgsluice({"dlq", "replay", "--target-url", target});
    INFO(replayed.err);
    CHECK(replayed.code == 0);
    CHECK(replayed.out == "replayed 1 dead letters of worker 'postgres'\n");
    CHECK(parking.rows() == "1=1 2=13 3=3");
    CHECK(parking.pgsluice({"dlq", "list"}).out == "there are no dead letters\n");

    Process again = parking.start({"worker", "postgres", "--target-url", target});
    shared_postgres().sql(parking.source, "INSERT INTO t VALUES (4, 4)");
    CHECK(eventually("the worker goes on where it was", [&] { return parking.rows() == "1=1 2=13 3=3 4=4"; }));
    for (Process* process : {&again, &replicator}) {
        process->signal(SIGTERM);
        CHECK(process->wait() == 0);
    }
}
