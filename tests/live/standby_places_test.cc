// replicator --standby where streams are sealed, in a NATS cluster, and within `pgsluice run`.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>

#include "sql/error.h"
#include "stream/broker.h"
#include "tests/support/nats_cluster.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"
#include "tests/support/writers.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

constexpr std::chrono::seconds patient{120};

const std::vector<std::string> standby_flags{"--copy-and-stream", "--standby", "--retry-initial-wait", "100ms",
                                             "--retry-max-wait",  "500ms"};

std::vector<std::string> with(std::vector<std::string> more) {
    more.insert(more.begin(), standby_flags.begin(), standby_flags.end());
    return more;
}

std::string insert_of(int number) { return "INSERT INTO public.plain VALUES (" + std::to_string(number) + ")"; }

// How often, and whether it does now: while NATS is without a leader, they may take turns.
std::size_t take_overs(Process& process) { return count(process.err(), "taking over"); }
bool stands_by(Process& process) {
    const std::string said = process.err();
    const auto last = said.rfind("standing by");
    return last != std::string::npos && said.find("taking over", last) == std::string::npos;
}

// A replicator that works, one that stands by, and a writer. The table has no key, so that a repeat is seen.
struct Pair : Pipeline {
    Pair(const std::vector<std::string>& both, std::vector<std::string> of_replicators)
        : flags(std::move(of_replicators)) {
        always(both, both);
        on_both("CREATE TABLE plain (id int)");
        start(flags);
        settle(patient);
        second.emplace(ProcessOptions{.argv = replicator_argv(flags)});
        REQUIRE(says(*second, "another replicator of the group is running (server process "));
        writers.emplace(shared_postgres().connect(source_db()), insert_of);
        writers->await(20);
    }
    void end(const std::function<void()>& meanwhile = {}) {
        writers->await(20);
        writers->stop();
        settle(patient, meanwhile);
        check_equal({"plain"});
    }
    static void stop(Process& process) {
        process.signal(SIGTERM);
        const int code = process.wait(std::chrono::seconds(15));
        INFO(process.err());
        CHECK(code == 0);
    }

    std::vector<std::string> flags;
    std::optional<Process> second;
    std::optional<Writers> writers;
};

}  // namespace

TEST_CASE("a standby of a sealed group takes over, and one without the key does not get so far") {
    if (hardened_by_environment()) return;
    const std::string key_file = temporary_directory("standby_keys") + "/keys";
    std::ofstream(key_file) << "k1:YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=\n";
    REQUIRE(::chmod(key_file.c_str(), 0600) == 0);
    Pair pair({"--stream-key-file", key_file}, standby_flags);
    const auto broker = connect_broker();
    const Names names = names_for(pair.group());
    // Whoever may write keys, and has none of the group's, cannot make it end the first.
    broker->kv_put(names, "lease", R"({"holder":"1 since 2024-01-01","host":"x","pid":1,"renewed_us":1})");
    pair.writers->await(20);
    CHECK(pair.replicator().running());
    pair.kill_replicator();
    CHECK(says(*pair.second, "taking over"));
    pair.end();

    auto words = pair.replicator_argv(standby_flags);
    std::erase(words, "--stream-key-file");
    std::erase(words, key_file);
    Process without({.argv = words});
    if (!eventually("it is refused, or stands by",
                    [&] { return !without.running() || contains(without.err(), "standing by"); }))
        MESSAGE(without.err());
    Pair::stop(*pair.second);
    CHECK(without.wait() == 1);
    CHECK(contains(without.err(), "Give --stream-key-file"));
    pair.stop_worker();
}

TEST_CASE("a standby in a cluster of three nats-servers: the leader of the stream dies, then the first replicator") {
    if (hardened_by_environment()) return;
    NatsCluster cluster;
    Pair pair({"--nats-url", cluster.url()}, with({"--stream-replicas", "3"}));
    const auto broker = connect_broker(cluster.url());
    const Names names = names_for(pair.group());
    CHECK(broker->stream_state("KV_" + names.bucket)->replicas == 3);
    NatsServer& leader = cluster.server(broker->stream_state(names.stream)->leader);
    leader.kill();
    const auto since = std::chrono::steady_clock::now();
    // Two nats-servers 2.9 that lost the third may stay without a leader for minutes, until it is back.
    const auto brings_back = [&] {
        if (std::chrono::steady_clock::now() - since > std::chrono::seconds(20)) leader.start();
    };
    // Whichever works then: who cannot renew the lease for eight seconds may be replaced.
    pair.writers->await(20);
    pair.settle(patient, brings_back);
    leader.start();
    const std::size_t before_first = take_overs(pair.replicator());
    const std::size_t before_second = take_overs(*pair.second);
    REQUIRE(eventually("one works, and one stands by",
                       [&] { return stands_by(pair.replicator()) != stands_by(*pair.second); }));
    const bool replaced = stands_by(pair.replicator());
    if (replaced)
        pair.second.reset();
    else
        pair.kill_replicator();
    Process& other = replaced ? pair.replicator() : *pair.second;
    const std::size_t before = replaced ? before_first : before_second;
    const bool took_over = eventually(
        "the other one has taken over", [&] { return take_overs(other) > before; }, patient);
    if (!took_over) MESSAGE(other.err());
    pair.writers->await(20);
    pair.writers->stop();
    const std::string rows = pair.source_scalar("SELECT count(*) FROM plain");
    const bool arrived = eventually(
        "all has arrived, and nothing twice", [&] { return pair.target_scalar("SELECT count(*) FROM plain") == rows; },
        patient);
    if (!arrived)
        MESSAGE(rows << " rows, the target has " << pair.target_scalar("SELECT count(*) FROM plain") << '\n'
                     << other.err() << pair.worker().err());
    CHECK(pair.source_rows("plain") == pair.target_rows("plain"));
    Pair::stop(other);
    pair.stop_worker();
}

TEST_CASE("run with standby: a second process with the same file takes over all of it") {
    if (hardened_by_environment()) return;
    Pipeline group;
    group.on_both("CREATE TABLE plain (id int)");
    group.on_source("INSERT INTO plain SELECT generate_series(1, 100)");
    const std::string path = temporary_directory("standby_run") + "/run.yaml";
    std::ofstream(path)
        << "nats-url: " << shared_nats().url() << "\nretry-initial-wait: 100ms\nretry-max-wait: 500ms\n"
        << "groups:\n  " << group.group() << ":\n    source-url: " << group.source_url()
        << "\n    replicator: {copy-and-stream: true, standby: true}\n    workers:\n      - sink: postgres\n"
        << "        target-url: " << group.target_url() << "\n";
    const std::vector<std::string> argv{PGSLUICE_BINARY, "run", "--config", path};
    std::optional<Process> first(std::in_place, ProcessOptions{.argv = argv});
    const auto has = [&](const std::string& rows) {
        return eventually(
            "the target has " + rows + " rows",
            [&] { return group.target_scalar("SELECT count(*) FROM plain") == rows; }, patient);
    };
    REQUIRE(has("100"));
    Process second({.argv = argv});
    REQUIRE(says(second, "standing by"));
    Writers writers(shared_postgres().connect(group.source_db()), insert_of);
    writers.await(20);
    CHECK(first->running());
    first.reset();
    CHECK(says(second, "taking over"));
    writers.await(20);
    writers.stop();
    CHECK(has(group.source_scalar("SELECT count(*) FROM plain")));
    CHECK(group.source_rows("plain") == group.target_rows("plain"));
    second.signal(SIGTERM);
    const int code = second.wait(std::chrono::seconds(30));
    INFO(second.err());
    CHECK(code == 0);
}
