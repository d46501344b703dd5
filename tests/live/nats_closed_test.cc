// NATS refuses a connection that it had accepted: after a change of the password and a reload the server ends it, and
// nats.c, refused twice, does not try again.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"

using namespace pgsluice::test;

namespace {

constexpr auto soon = std::chrono::seconds(20);

struct Refused {
    Refused() : nats({.login = "sluice:before"}), pipeline({shared_postgres(), shared_postgres(), nats}) {
        pipeline.on_both("CREATE TABLE rows (id int PRIMARY KEY, pad text)");
        pipeline.start();
        pipeline.settle();
    }
    // Rows of 100 kB: far more than what the worker reads ahead.
    void insert(int from, int to) {
        pipeline.on_source("INSERT INTO rows SELECT i, repeat('x', 100000) FROM generate_series(" +
                           std::to_string(from) + ", " + std::to_string(to) + ") AS i");
    }
    static bool says(Process& process, const std::string& part) {
        return eventually(
            "it says '" + part + "'", [&] { return process.err().find(part) != std::string::npos; }, soon);
    }
    std::string worker_sessions(const std::string& state) {
        return pipeline.target_scalar("SELECT count(*) FROM pg_stat_activity WHERE datname = '" + pipeline.target_db() +
                                      "' AND application_name LIKE 'pgsluice%' AND state LIKE '" + state + "'");
    }
    void restore_and_compare() {
        nats.change_login("sluice:before");
        pipeline.check_equal({"rows"});
        pipeline.stop();
    }

    NatsServer nats;
    Pipeline pipeline;
};

}  // namespace

TEST_CASE("an idle group whose password is changed says so on both sides, and continues once it is accepted again") {
    Refused group;
    group.nats.change_login("sluice:after");
    CHECK(Refused::says(group.pipeline.worker(), "is closed for good"));
    CHECK(Refused::says(group.pipeline.replicator(), "Authorization Violation; trying again"));
    CHECK(Refused::says(group.pipeline.worker(), "trying again"));
    group.insert(1, 10);
    group.restore_and_compare();
}

TEST_CASE("a worker in the middle of a transaction gives its target session up when NATS refuses it") {
    Refused group;
    group.pipeline.on_target("INSERT INTO rows VALUES (50, '')");
    auto target = shared_postgres().connect(group.pipeline.target_db());
    pgsluice::sql::Connection other(target);
    other.exec("BEGIN; DELETE FROM public.rows WHERE id = 50");
    group.insert(1, 600);
    REQUIRE(eventually("the worker waits for the row", [&] {
        return group.pipeline.target_scalar(
                   "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                   "datname = current_database()") == "1";
    }));
    group.nats.change_login("sluice:after");
    CHECK(Refused::says(group.pipeline.worker(), "is closed for good"));
    other.exec("COMMIT");
    CHECK(eventually(
        "no session stays in a transaction",
        [&] { return group.worker_sessions("%in transaction%") == "0" && group.worker_sessions("active") == "0"; },
        soon));
    CHECK(Refused::says(group.pipeline.worker(), "trying again"));
    group.restore_and_compare();
}
