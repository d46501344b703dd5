// replicator --standby: the second takes over when the first is killed, stopped or cut off, with a writer at work, and
// nothing is lost or comes twice.
#include <doctest/doctest.h>

#include <functional>
#include <optional>

#include "stream/broker.h"
#include "stream/group/lease.h"
#include "tests/support/http_get.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/tcp_proxy.h"
#include "tests/support/text.h"
#include "tests/support/writers.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

const std::vector<std::string> standby_flags{"--copy-and-stream", "--standby", "--retry-initial-wait", "100ms",
                                             "--retry-max-wait",  "500ms"};

// A group whose replicator connects through proxies, a second that stands by, and a writer.
struct Pair {
    TcpProxy to_source{shared_postgres().port()};
    TcpProxy to_nats{shared_nats().port()};
    Pipeline pipeline;
    std::optional<Process> second;
    std::optional<Writers> writers;

    Pair() {
        pipeline.on_both("CREATE TABLE plain (id int)");  // without a key, so that a repeat is seen
        pipeline.go_through({.replicator_to_source = to_source.port(), .replicator_to_nats = to_nats.port()});
        pipeline.start(standby_flags);
        pipeline.settle();
        pipeline.go_through({});
        second.emplace(ProcessOptions{.argv = pipeline.replicator_argv(standby_flags)});
        REQUIRE(says(*second, "another replicator of the group is running (server process "));
        eventually("the first renews its lease", [&] { return lease_pid() == pipeline.replicator().pid(); });
        writers.emplace(shared_postgres().connect(pipeline.source_db()),
                        [](int number) { return "INSERT INTO public.plain VALUES (" + std::to_string(number) + ")"; });
        writers->await(20);
    }

    std::int64_t lease_pid() {
        const auto kept = find_lease(*broker, names_for(pipeline.group()));
        return kept ? kept->lease.pid : 0;
    }

    // Until the second has taken over, and all that was written has arrived.
    void take_over(const std::function<void()>& cause) {
        cause();
        CHECK(says(*second, "taking over"));
        const std::string mark = pipeline.source_scalar("SELECT pg_current_wal_insert_lsn()");
        eventually("the second has published what came since", [&] {
            return pipeline.target_scalar("SELECT position_lsn >= '" + mark +
                                          "' FROM pgsluice.progress WHERE \"group\" = '" + pipeline.group() + "'") ==
                   "t";
        });
    }

    // What the first had under way may cost the second its session; the first may then be there before it.
    void let_through(const std::function<void()>& end_of_cut) {
        const auto said = second->err().size();
        end_of_cut();
        CHECK(eventually("one of them stands by", [&] {
            return contains(pipeline.replicator().err(), "standing by") ||
                   contains(second->err().substr(said), "standing by");
        }));
    }

    void end() {
        writers->await(20);
        writers->stop();
        pipeline.check_equal({"plain"});
        CHECK(pipeline.source_scalar("SELECT count(*) > 40 FROM plain") == "t");
    }

    void stop_second() {
        second->signal(SIGTERM);
        CHECK(second->wait(std::chrono::seconds(10)) == 0);
    }

    std::unique_ptr<Broker> broker = connect_broker();
};

}  // namespace

TEST_CASE("the standby takes over when the first is killed, and the first becomes the standby") {
    Pair pair;
    pair.take_over([&] { pair.pipeline.kill_replicator(); });

    Process first({.argv = pair.pipeline.replicator_argv(standby_flags)});
    CHECK(says(first, "standing by"));
    pair.end();
    // And back again, in order.
    pair.stop_second();
    CHECK(says(first, "the other replicator has ended: taking over"));
    pair.pipeline.on_source("INSERT INTO plain VALUES (-1)");
    pair.pipeline.check_equal({"plain"});
    first.signal(SIGTERM);
    CHECK(first.wait(std::chrono::seconds(10)) == 0);
    pair.pipeline.stop_worker();
}

TEST_CASE("the standby takes over when the first's network is silent, and the first stands by when it is back") {
    Pair pair;
    pair.take_over([&] {
        pair.to_source.hold(true, true);
        pair.to_nats.hold(true, true);
    });
    CHECK(contains(pair.second->err(), "has not renewed its lease for 8 s"));
    CHECK(pair.pipeline.replicator().running());
    // What it has sent meanwhile arrives, and is refused.
    pair.let_through([&] {
        pair.to_source.hold(false, false);
        pair.to_nats.hold(false, false);
    });
    pair.end();
    CHECK(pair.second->running());
    pair.pipeline.stop_replicator();
    pair.pipeline.stop_worker();
    pair.stop_second();
}

TEST_CASE("the standby takes over when the first is cut off from one side only") {
    Pair pair;
    TcpProxy& cut = *[&] {
        TcpProxy* side = nullptr;
        SUBCASE("the source") { side = &pair.to_source; }
        SUBCASE("NATS") { side = &pair.to_nats; }
        return side;
    }();
    pair.take_over([&] { cut.hold(true, true); });
    // A first that NATS does not answer may have given up its session by then.
    const bool gave_up = &cut == &pair.to_nats && contains(pair.second->err(), "the other replicator has ended");
    CHECK((gave_up || contains(pair.second->err(), "has not renewed its lease for 8 s")));
    pair.let_through([&] { cut.hold(false, false); });
    pair.end();
    pair.pipeline.stop_replicator();
    pair.pipeline.stop_worker();
    pair.stop_second();
}

TEST_CASE("a first that was started without --standby is never ended, and replaced when its lock is free") {
    Pair pair;
    pair.writers->stop();
    pair.stop_second();
    pair.pipeline.stop_replicator();  // its lease stays
    pair.pipeline.start_replicator({"--copy-and-stream"});
    pair.pipeline.await_stream();
    pair.second.emplace(ProcessOptions{.argv = pair.pipeline.replicator_argv(standby_flags)});
    CHECK(says(*pair.second, "standing by"));
    // Longer than a lease of its own would last.
    eventually("it has stood by for long", [&] {
        const auto report = find_standby(*pair.broker, names_for(pair.pipeline.group()));
        return report && report->reported_us - report->since_us > 12'000'000;
    });
    CHECK(pair.pipeline.replicator().running());
    CHECK_FALSE(contains(pair.second->err(), "taking over"));
    pair.pipeline.stop();
    CHECK(says(*pair.second, "the other replicator has ended: taking over"));
    pair.stop_second();
}

TEST_CASE("status and /readyz show that it stands by") {
    Pair pair;
    pair.writers->stop();
    pair.stop_second();
    auto flags = standby_flags;
    flags.insert(flags.end(), {"--http-listen", "127.0.0.1:0"});
    pair.second.emplace(ProcessOptions{.argv = pair.pipeline.replicator_argv(flags)});
    CHECK(says(*pair.second, "standing by"));
    const std::string http = served_at(*pair.second);
    eventually("/readyz says so", [&] {
        return http_get(http, "/readyz").body == "ready: standing by for another replicator of the group\n";
    });
    eventually("/metrics says so", [&] { return Scrape(http).value("pgsluice_standing_by") == 1.0; });
    const std::string who = "process " + std::to_string(pair.second->pid()) + " on '";
    eventually("status shows it", [&] {
        const auto status = run(pair.pipeline.command_argv("viewer", {"status"}));
        return contains(status.out, who) && contains(status.out, " stands by");
    });
    CHECK(contains(run(pair.pipeline.command_argv("viewer", {"status", "--json"})).out, "\"standby\":{\"host\":"));
    const auto check = run(pair.pipeline.command_argv(
        "replicator", {"check", "--copy-and-stream", "--standby", "--source-url", pair.pipeline.source_url()}));
    CHECK_MESSAGE(contains(check.out, "so this one would stand by"), check.out << check.err);
    pair.pipeline.stop_replicator();
    CHECK(says(*pair.second, "taking over"));
    eventually("/readyz says that it works", [&] { return http_get(http, "/readyz").body == "ready\n"; });
    const auto status = run(pair.pipeline.command_argv("viewer", {"status"}));
    CHECK_FALSE(contains(status.out, "stands by"));
    pair.stop_second();
    pair.pipeline.stop_worker();
}
