// A row that the target refuses: parked, listed, replayed once the cause is gone.
#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <map>

#include "tests/support/http_receiver.h"
#include "tests/support/nats_server.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

struct Parking {
    std::string group;
    std::string source = shared_postgres().create_database();
    std::string target = shared_postgres().create_database();

    explicit Parking(std::string name) : group(std::move(name)) {
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
    // Dies once it has applied a letter and before it has erased it.
    [[nodiscard]] Finished replay_and_die(const std::vector<std::string>& more) const {
        std::vector<std::string> command = {"env",
                                            "PGSLUICE_FAILPOINT=dlq-applied",
                                            PGSLUICE_BINARY,
                                            "dlq",
                                            "replay",
                                            "--group",
                                            group,
                                            "--nats-url",
                                            shared_nats().url()};
        command.insert(command.end(), more.begin(), more.end());
        return run(command);
    }
    [[nodiscard]] Process start(const std::vector<std::string>& command) const {
        return Process({.argv = words(command), .environment = {}, .stdout_file = "", .run_as = 0});
    }
    [[nodiscard]] std::string rows() const {
        return shared_postgres().scalar(target, "SELECT string_agg(id || '=' || v, ' ' ORDER BY id) FROM t");
    }
};

}  // namespace

TEST_CASE("a refused row is parked, listed, replayed and gone") {
    const Parking parking("parking");
    const std::string target = shared_postgres().url(parking.target);
    Process replicator = parking.start({"replicator", "--source-url", shared_postgres().url(parking.source)});
    Process worker = parking.start({"worker", "postgres", "--target-url", target, "--on-error", "dead-letter"});
    REQUIRE(eventually("both are ready", [&] {
        return contains(replicator.err(), "streaming begins") && contains(worker.err(), "reads stream");
    }));
    shared_postgres().sql(parking.source, "INSERT INTO t VALUES (1, 1), (2, 13), (3, 3)");
    CHECK(eventually("the good rows land", [&] { return parking.rows() == "1=1 3=3"; }));
    worker.signal(SIGTERM);
    CHECK(worker.wait() == 0);

    const Finished listed = parking.pgsluice({"dlq", "list"});
    INFO(listed.err);
    CHECK(listed.code == 0);
    CHECK(contains(listed.out, "message 1: insert of 'public.t' at "));
    CHECK(contains(listed.out, "parked by worker 'postgres': "));

    const Finished no_target =
        parking.pgsluice({"dlq", "replay", "--worker-name", "postgres", "--webhook-url", "http://127.0.0.1:1/"});
    CHECK(no_target.code == 2);
    CHECK(contains(no_target.err, "Give --target-url"));
    const std::string elsewhere = shared_postgres().create_database();
    const Finished wrong = parking.pgsluice({"dlq", "replay", "--target-url", shared_postgres().url(elsewhere)});
    CHECK(wrong.code == 1);
    CHECK(contains(wrong.err, "worker 'postgres' of group 'parking' has never written to this target"));
    CHECK(shared_postgres().scalar(elsewhere, "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgsluice'") == "0");
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

#ifdef PGSLUICE_FAILPOINTS
TEST_CASE("a replay killed before it has erased what it applied does not apply it again") {
    const Parking parking("parking_killed");
    shared_postgres().sql(parking.target, "ALTER TABLE t DROP CONSTRAINT t_pkey");  // a second insert would be seen
    const std::string target = shared_postgres().url(parking.target);
    Process replicator = parking.start({"replicator", "--source-url", shared_postgres().url(parking.source)});
    Process worker = parking.start({"worker", "postgres", "--target-url", target, "--on-error", "dead-letter"});
    REQUIRE(eventually("both are ready", [&] {
        return contains(replicator.err(), "streaming begins") && contains(worker.err(), "reads stream");
    }));
    shared_postgres().sql(parking.source, "INSERT INTO t VALUES (1, 13), (2, 13), (3, 3)");
    REQUIRE(eventually("the good row lands", [&] { return parking.rows() == "3=3"; }));
    worker.signal(SIGTERM);
    CHECK(worker.wait() == 0);
    shared_postgres().sql(parking.target, "ALTER TABLE t DROP CONSTRAINT t_v_check");

    CHECK(parking.replay_and_die({"--target-url", target}).code != 0);
    CHECK(parking.rows() == "1=13 3=3");
    CHECK(contains(parking.pgsluice({"dlq", "list"}).out, "message 1: "));
    CHECK(parking.replay_and_die({"--target-url", target}).code != 0);  // at the second letter
    const Finished replayed = parking.pgsluice({"dlq", "replay", "--target-url", target});
    INFO(replayed.err);
    CHECK(replayed.out ==
          "replayed 0 dead letters of worker 'postgres'\ndropped 1 whose changes had already been applied\n");
    CHECK(parking.rows() == "1=13 2=13 3=3");
    CHECK(shared_postgres().scalar(parking.target, "SELECT count(*) FROM pgsluice.parked") == "0");
    replicator.signal(SIGTERM);
    CHECK(replicator.wait() == 0);
}

TEST_CASE("a worker killed before it has committed what it parked: its letter counts once, or not at all") {
    const Parking parking("parking_again");
    shared_postgres().sql(parking.target, "ALTER TABLE t DROP CONSTRAINT t_pkey");  // a second insert would be seen
    const std::string target = shared_postgres().url(parking.target);
    Process replicator = parking.start({"replicator", "--source-url", shared_postgres().url(parking.source)});
    REQUIRE(eventually("it streams", [&] { return contains(replicator.err(), "streaming begins"); }));
    const std::vector<std::string> work{"worker", "postgres", "--target-url", target, "--on-error", "dead-letter"};
    {
        Process worker = parking.start(work);
        REQUIRE(eventually("it reads", [&] { return contains(worker.err(), "reads stream"); }));
        worker.signal(SIGTERM);
        CHECK(worker.wait() == 0);
    }
    shared_postgres().sql(parking.source, "INSERT INTO t VALUES (1, 13), (3, 3)");
    auto dying = parking.words(work);
    dying.insert(dying.begin(), {"env", "PGSLUICE_FAILPOINT=postgres-parked"});
    CHECK(run(dying).code != 0);

    std::string expected_list;
    std::string expected;
    SUBCASE("parked again") {
        expected_list = " (same change as message 1)\n";
        expected = "replayed 1 dead letters of worker 'postgres'\ndropped 1 whose changes had already been applied\n";
    }
    SUBCASE("taken, for the target was mended meanwhile") {
        shared_postgres().sql(parking.target, "ALTER TABLE t DROP CONSTRAINT t_v_check");
        expected = "replayed 0 dead letters of worker 'postgres'\ndropped 1 whose changes had already been applied\n";
    }
    Process worker = parking.start(work);
    REQUIRE(eventually("the good row lands", [&] { return contains(parking.rows(), "3=3"); }));
    worker.signal(SIGTERM);
    CHECK(worker.wait() == 0);
    CHECK(contains(parking.pgsluice({"dlq", "list"}).out, expected_list));
    shared_postgres().sql(parking.target, "ALTER TABLE t DROP CONSTRAINT IF EXISTS t_v_check");
    const Finished replayed = parking.pgsluice({"dlq", "replay", "--target-url", target});
    INFO(replayed.err);
    CHECK(replayed.out == expected);
    CHECK(parking.rows() == "1=13 3=3");
    replicator.signal(SIGTERM);
    CHECK(replicator.wait() == 0);
}

TEST_CASE("a webhook worker's letters are posted again, with the keys they had") {
    const Parking parking("parking_posts");
    std::atomic<bool> refuses{true};
    HttpReceiver receiver([&](const HttpRequest& request) -> HttpReply {
        return {refuses && contains(request.body, R"("v":13)") ? 422 : 200, {}, HttpReply::Manner::whole, ""};
    });
    Process replicator = parking.start({"replicator", "--source-url", shared_postgres().url(parking.source)});
    Process worker = parking.start({"worker", "webhook", "--webhook-url", receiver.url(), "--on-error", "dead-letter"});
    REQUIRE(eventually("both are ready", [&] {
        return contains(replicator.err(), "streaming begins") && contains(worker.err(), "reads stream");
    }));
    shared_postgres().sql(parking.source, "INSERT INTO t VALUES (1, 1), (2, 13), (3, 3)");
    REQUIRE(eventually("all were posted", [&] { return receiver.requests().size() == 3; }));
    REQUIRE(eventually("one is parked", [&] { return contains(parking.pgsluice({"dlq", "list"}).out, "message 1"); }));

    CHECK(parking.pgsluice({"dlq", "replay", "--webhook-url", receiver.url()}).code == 1);
    refuses = false;
    CHECK(parking.replay_and_die({"--webhook-url", receiver.url()}).code != 0);
    const Finished replayed = parking.pgsluice({"dlq", "replay", "--webhook-url", receiver.url()});
    INFO(replayed.err);
    CHECK(replayed.out == "replayed 1 dead letters of worker 'webhook'\n");
    CHECK(parking.pgsluice({"dlq", "list"}).out == "there are no dead letters\n");

    std::map<std::string, int> times;  // by key
    for (const HttpRequest& request : receiver.requests()) ++times[request.headers.at("idempotency-key")];
    CHECK(times.size() == 3);
    CHECK(receiver.requests().size() == 3 + 3);  // the refused replay, the killed one, the last one
    for (Process* process : {&worker, &replicator}) {
        process->signal(SIGTERM);
        CHECK(process->wait() == 0);
    }
}

TEST_CASE("a letter of the initial copy is posted again as a row of the initial copy") {
    const Parking parking("parking_copy");
    shared_postgres().sql(parking.source, "INSERT INTO t VALUES (1, 13)");
    std::atomic<bool> refuses{true};
    HttpReceiver receiver([&](const HttpRequest&) -> HttpReply {
        return {refuses ? 422 : 200, {}, HttpReply::Manner::whole, ""};
    });
    const Finished copied =
        parking.pgsluice({"replicator", "--copy", "--source-url", shared_postgres().url(parking.source)});
    INFO(copied.err);
    REQUIRE(copied.code == 0);
    const Finished worked = parking.pgsluice(
        {"worker", "webhook", "--webhook-url", receiver.url(), "--on-error", "dead-letter", "--exit-after-snapshot"});
    INFO(worked.err);
    REQUIRE(worked.code == 0);
    refuses = false;
    CHECK(parking.pgsluice({"dlq", "replay", "--webhook-url", receiver.url()}).code == 0);
    const auto requests = receiver.requests();
    REQUIRE(requests.size() == 2);
    CHECK(requests[1].headers.at("idempotency-key") == requests[0].headers.at("idempotency-key"));
    CHECK(contains(requests[1].body, R"("Snapshot":true)"));
    CHECK_FALSE(contains(requests[1].body, "TransactionId"));
}
#endif
