// After each outage the log says that it is over.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"
#include "tests/support/user_stream.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// Whichever of the two ways out was taken: the library's reconnect, or a new session.
bool is_back(Process& process) {
    return eventually("the log says that the outage is over", [&] {
        return contains(process.err(), "reconnected to NATS") || contains(process.err(), "running again after");
    });
}

}  // namespace

TEST_CASE("NATS, for replicator, worker postgres and worker nats") {
    NatsServer nats;
    Pipeline pipeline({shared_postgres(), shared_postgres(), nats});
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY)");
    pipeline.start();
    pipeline.settle();
    const UserStream stream(nats.url(), "CDC", "cdc.>");
    Process publisher(ProcessOptions{.argv = pipeline.worker_argv("nats", {})});
    CHECK(says(publisher, "reads stream"));
    nats.kill();
    for (Process* each : {&pipeline.replicator(), &pipeline.worker(), &publisher})
        CHECK(says(*each, "lost the connection to NATS"));
    nats.start();
    for (Process* each : {&pipeline.replicator(), &pipeline.worker(), &publisher}) CHECK(is_back(*each));
    pipeline.check_equal({"t"});
    pipeline.stop();
}

TEST_CASE("the source and the target") {
    PostgresServer source;
    PostgresServer target;
    Pipeline pipeline({source, target, shared_nats()});
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY)");
    pipeline.start();
    pipeline.settle();
    source.stop_immediate();
    CHECK(says(pipeline.replicator(), "trying again"));
    source.start();
    CHECK(says(pipeline.replicator(), "running again after"));
    target.stop_immediate();
    pipeline.on_source("INSERT INTO t VALUES (1)");
    CHECK(says(pipeline.worker(), "trying again"));
    target.start();
    CHECK(says(pipeline.worker(), "running again after"));
    pipeline.check_equal({"t"});
    pipeline.stop();
}

TEST_CASE("a worker's garbled entry that is removed while the replicator is without NATS") {
    NatsServer nats;
    Pipeline pipeline({shared_postgres(), shared_postgres(), nats});
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY)");
    pipeline.start();
    pipeline.settle();
    const Names names = names_for(pipeline.group());
    BrokerOptions options;
    options.url = nats.url();
    const auto connect = [&] { return Broker::connect(options, silent_log, {}); };
    connect()->kv_put(names, "worker.garbled", "not json");
    CHECK(says(pipeline.replicator(), "nothing is trimmed: the entry of worker 'garbled'"));
    nats.kill();
    CHECK(says(pipeline.replicator(), "lost the connection to NATS"));
    nats.start();
    // Before the thread that trims is back: it sees no change then.
    connect()->kv_delete(names, "worker.garbled");
    CHECK(says(pipeline.replicator(), "the entries of all workers can be read again"));
    pipeline.stop();
}

TEST_CASE("a stream that was full") {
    std::string logged;
    BrokerOptions options;
    options.url = shared_nats().url();
    const auto broker =
        Broker::connect(options, [&](LogLevel, std::string_view text) { logged += std::string(text) + "\n"; }, {});
    const Names names = names_for("full_for_a_while");
    broker->ensure_stream(names, {.max_bytes = 350'000});
    const auto publisher = broker->publisher(names, {0}, {});
    for (std::uint64_t i = 1; i <= 4; ++i) {
        REQUIRE(publisher->wait_for_room(5000));
        publisher->publish(at(i), std::string(100'000, 'x'), nullptr);
    }
    CHECK(eventually("it is full", [&] { return !publisher->await_acks(10) && contains(logged, "is full"); }));
    broker->trim(names.stream, {2});
    CHECK(publisher->await_acks(10000));
    CHECK(eventually("the log says that it has room", [&] {
        static_cast<void>(publisher->in_flight());
        return contains(logged, "stream 'pgsluice_full_for_a_while' has room again");
    }));
}
