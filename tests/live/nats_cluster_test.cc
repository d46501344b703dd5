// A stream with three copies in a cluster whose servers die.
#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "sql/error.h"
#include "stream/broker.h"
#include "tests/support/nats_cluster.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// Kept by all of this file's tests; each leaves all servers running.
NatsCluster& cluster() {
    static NatsCluster three;
    return three;
}

struct AllRun {
    ~AllRun() {
        for (int i = 0; i < NatsCluster::size; ++i) cluster().server(i).start();
    }
};

// A nats-server 2.9 that lost the leader in mid-stream may leave the two others without one for minutes, which retry
// until it is back: it comes back after a while, as an operator would see to.
std::function<void()> brings_back(NatsServer& killed) {
    const auto since = std::chrono::steady_clock::now();
    return [&killed, since] {
        if (std::chrono::steady_clock::now() - since > std::chrono::seconds(40)) killed.start();
    };
}

// Does it again while the cluster is choosing a leader.
void patiently(const std::function<void()>& what) {
    const auto done = [&] {
        try {
            what();
            return true;
        } catch (const Error& error) {
            if (error.action() != Action::retry) throw;
            return false;
        }
    };
    const bool answered = eventually("the cluster answers", done, std::chrono::seconds(60));
    REQUIRE(answered);
}

// Asked again while the cluster is choosing.
std::optional<StreamState> state_of(Broker& broker, const std::string& stream) {
    std::optional<StreamState> state;
    eventually("the stream has a leader", [&] {
        try {
            state = broker.stream_state(stream);
        } catch (const Error& error) {
            CHECK(error.action() == Action::retry);
        }
        return state && !state->leader.empty();
    });
    return state;
}

}  // namespace

TEST_CASE("the leader is killed in mid-stream again and again: nothing is lost, nothing doubled") {
    const AllRun afterwards;
    Pipeline pipeline;
    pipeline.always({"--nats-url", cluster().url()}, {"--nats-url", cluster().url()});
    pipeline.on_both("CREATE TABLE plain (id int, pad text)");  // without a key, so that a repeat is seen
    pipeline.start({"--copy-and-stream", "--stream-replicas", "3"});
    pipeline.settle();
    const auto broker = connect_broker(cluster().url());
    const auto names = names_for(pipeline.group());
    CHECK(state_of(*broker, names.stream)->replicas == 3);
    CHECK(state_of(*broker, "KV_" + names.bucket)->replicas == 3);
    for (int round = 0; round < 2; ++round) {
        const auto before = state_of(*broker, names.stream);
        REQUIRE(before);
        pipeline.on_source("INSERT INTO plain SELECT i, repeat('x', 500) FROM generate_series(1, 40000) i");
        CHECK(eventually("some of it is stored",
                         [&] { return state_of(*broker, names.stream)->last_seq.value > before->last_seq.value + 5; }));
        NatsServer& leader = cluster().server(state_of(*broker, names.stream)->leader);
        leader.kill();
        pipeline.on_source("UPDATE settled SET mark = mark; INSERT INTO plain VALUES (" + std::to_string(round) +
                           ", 'behind')");
        pipeline.settle(std::chrono::seconds(120), brings_back(leader));
        leader.start();
    }
    pipeline.check_equal({"plain"});
    CHECK(pipeline.target_scalar("SELECT count(*) FROM plain") == "80002");
    pipeline.stop();
}

TEST_CASE("a worker waits for a copy that is away before it says that the stream lost what it has applied") {
    const AllRun afterwards;
    Pipeline pipeline;
    pipeline.always({"--nats-url", cluster().url()}, {"--nats-url", cluster().url()});
    pipeline.start({"--copy-and-stream", "--stream-replicas", "3"});
    pipeline.settle();
    pipeline.stop();
    const auto broker = connect_broker(cluster().url());
    const auto names = names_for(pipeline.group());
    patiently([&] { broker->delete_stream(names.stream); });
    patiently([&] { broker->ensure_stream(names, {.replicas = 3}); });  // as a leader that has applied nothing
    const std::string leader = state_of(*broker, names.stream)->leader;
    const std::string away = leader == "n0" ? "n1" : "n0";
    cluster().server(away).kill();
    pipeline.start_worker();
    CHECK(says(pipeline.worker(), "a copy of it is offline or behind, on: " + away));
    CHECK(eventually("it alone is away", [&] { return state_of(*broker, names.stream)->copies_away == away; }));
    cluster().server(away).start();
    CHECK(pipeline.worker().wait(std::chrono::seconds(60)) == 1);
    CHECK(contains(pipeline.worker().err(), "unable to continue worker"));
    CHECK(eventually("none is away", [&] { return state_of(*broker, names.stream)->copies_away.empty(); }));
    pipeline.kill_worker();
}

TEST_CASE("more copies than there are servers is an error that names the flag") {
    StreamGroup single;
    const auto refused = [](const auto& what) {
        try {
            what();
        } catch (const Error& error) {
            CHECK(error.action() == Action::stop);
            return std::string(error.what()) + " | " + error.hint();
        }
        return std::string("accepted");
    };
    const auto changed = refused([&] { single.broker->ensure_stream(single.names, {.replicas = 3}); });
    CHECK(changed.find("is a single server") != std::string::npos);
    CHECK(changed.find("--stream-replicas") != std::string::npos);
    single.broker->delete_stream(single.names.stream);
    const auto created = refused([&] { single.broker->ensure_stream(single.names, {.replicas = 3}); });
    CHECK(created.find("--stream-replicas") != std::string::npos);
    const auto broker = connect_broker(cluster().url());
    const auto five = refused([&] { patiently([&] { broker->ensure_stream(names_for("five"), {.replicas = 5}); }); });
    CHECK(five.find("--stream-replicas") != std::string::npos);
}

TEST_CASE("replicas are changed on a stream that is there, and its bucket follows") {
    const auto broker = connect_broker(cluster().url());
    const auto names = names_for("grows");
    patiently([&] { broker->ensure_stream(names, {}); });
    patiently([&] { broker->kv_put(names, "lsn", "0/1"); });
    CHECK(state_of(*broker, names.stream)->replicas == 1);
    patiently([&] { broker->ensure_stream(names, {.replicas = 3}); });
    CHECK(state_of(*broker, names.stream)->replicas == 3);
    CHECK(state_of(*broker, "KV_" + names.bucket)->replicas == 3);
}
