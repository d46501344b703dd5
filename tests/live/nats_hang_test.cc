// A nats-server that hangs (SIGSTOP) rather than being gone: nobody is told anything, and calls wait.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/support/pipeline.h"

using namespace pgsluice::test;

namespace {

constexpr auto soon = std::chrono::seconds(10);  // of which a worker may drain for five

// A source whose walsenders give up after two seconds without a status.
struct Hanging {
    Hanging() : pipeline({shared_postgres(), shared_postgres(), nats}) {
        pipeline.on_both("CREATE TABLE rows (id int PRIMARY KEY, pad text)");
        pipeline.on_source("ALTER DATABASE \"" + pipeline.source_db() + "\" SET wal_sender_timeout = '2s'");
        pipeline.start();
        pipeline.settle();
    }
    void insert(int from, int to) {
        pipeline.on_source("INSERT INTO rows SELECT i, repeat('x', 1000) FROM generate_series(" + std::to_string(from) +
                           ", " + std::to_string(to) + ") AS i");
    }
    bool replicator_says(const std::string& part) {
        return eventually("the replicator says '" + part + "'",
                          [&] { return pipeline.replicator().err().find(part) != std::string::npos; });
    }
    // Both sides end in time although the server hangs, and nothing is missing once it goes on.
    void stop_and_compare() {
        pipeline.replicator().signal(SIGTERM);
        pipeline.worker().signal(SIGTERM);
        const int replicator_code = pipeline.replicator().wait(soon);
        const int worker_code = pipeline.worker().wait(soon);
        CAPTURE(pipeline.replicator().err());
        CAPTURE(pipeline.worker().err());
        CHECK(replicator_code == 0);
        CHECK(worker_code == 0);
        nats.resume();
        pipeline.start();
        pipeline.check_equal({"rows"});
        pipeline.stop();
    }

    NatsServer nats;
    Pipeline pipeline;
};

}  // namespace

TEST_CASE("SIGTERM while an idle group's nats-server hangs") {
    Hanging hanging;
    hanging.nats.pause();
    hanging.stop_and_compare();
}

TEST_CASE("SIGTERM while nats-server hangs in the middle of a transaction") {
    Hanging hanging;
    hanging.nats.pause();
    hanging.insert(1, 50000);
    hanging.stop_and_compare();
}

TEST_CASE("SIGTERM while the replicator tries to reach a nats-server that hangs") {
    Hanging hanging;
    hanging.nats.pause();
    hanging.insert(1, 50000);
    REQUIRE(hanging.replicator_says("trying again"));
    hanging.stop_and_compare();
}

TEST_CASE("SIGTERM of a worker that waits for its stream on a nats-server that hangs") {
    NatsServer nats;
    Pipeline pipeline({shared_postgres(), shared_postgres(), nats});
    pipeline.start_worker();
    REQUIRE(eventually("the worker waits",
                       [&] { return pipeline.worker().err().find("waiting for stream") != std::string::npos; }));
    nats.pause();
    pipeline.stop_worker(soon);
    nats.resume();
}

TEST_CASE("a full stream and a nats-server that hangs: the walsender gets its statuses as long as the session lives") {
    Hanging hanging;
    const auto walsender = [&](const std::string& expression) {
        return hanging.pipeline.source_scalar("SELECT coalesce(bool_or(" + expression +
                                              "), false) FROM pg_replication_slots s JOIN pg_stat_replication r ON "
                                              "r.pid = s.active_pid WHERE s.slot_name = "
                                              "'pgsluice_" +
                                              hanging.pipeline.group() + "'");
    };
    const std::size_t said = hanging.pipeline.replicator().err().size();  // a slow start may have been tried again
    hanging.nats.pause();
    // An acknowledgement is missing from here on, for up to 15 s: statuses must go on meanwhile.
    hanging.pipeline.on_source("INSERT INTO rows VALUES (0, '')");
    const auto since = hanging.pipeline.source_scalar("SELECT now()");
    CHECK(eventually("three of its time-outs pass",
                     [&] { return walsender("reply_time > '" + since + "'::timestamptz + interval '6 s'") == "t"; }));
    CHECK(hanging.pipeline.replicator().err().find("trying again", said) == std::string::npos);
    hanging.nats.resume();
    hanging.pipeline.check_equal({"rows"});
    hanging.pipeline.stop();
}
