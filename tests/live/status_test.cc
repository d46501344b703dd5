// pgsluice status: the parts' states, the numbers, and the exit code, against what PostgreSQL and JetStream say.
#include <doctest/doctest.h>
#include <simdjson.h>

#include "stream/group/registry.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/tcp_proxy.h"
#include "tests/support/text.h"

using namespace pgsluice::test;
using pgsluice::names_for;

namespace {

struct Watched : Pipeline {
    Watched() { on_both("CREATE TABLE t (id int PRIMARY KEY)"); }

    [[nodiscard]] Finished status(std::vector<std::string> more = {}) const {
        std::vector<std::string> words{"status"};
        words.insert(words.end(), more.begin(), more.end());
        return run(command_argv("viewer", words));
    }
    [[nodiscard]] Finished with_source(std::vector<std::string> more = {}) const {
        more.insert(more.end(), {"--source-url", source_url()});
        return status(more);
    }
    // A status that says so, with this exit code, within the time; what it printed last.
    std::string shows(int code, const std::string& part, const std::vector<std::string>& more = {}) {
        Finished last;
        const bool shown = eventually("status says '" + part + "' and exits with " + std::to_string(code), [&] {
            last = with_source(more);
            return last.code == code && contains(last.out, part);
        });
        if (!shown) MESSAGE("exit code " << last.code << ", " << last.out << last.err);
        return last.out;
    }
};

struct Json {
    explicit Json(const Finished& finished) {
        INFO(finished.out << finished.err);
        REQUIRE(parser.parse(finished.out).get(root) == simdjson::SUCCESS);
    }
    simdjson::dom::parser parser;
    simdjson::dom::element root;
};

}  // namespace

TEST_CASE("status: a group that streams is well, and the numbers are PostgreSQL's and JetStream's") {
    Watched group;
    group.on_source("INSERT INTO t VALUES (1), (2)");
    group.start();
    group.settle();
    const std::string text = group.shows(0, "nothing behind");
    CHECK(contains(text, "group " + group.group() + ": ok\n"));
    CHECK(contains(text, "worker 'postgres' (postgres): streaming; applied up to "));
    CHECK(contains(text, "complete: epoch 1, "));

    // Each number is of a moment of its own; where one has moved meanwhile, all are looked at again.
    const std::string restart =
        "SELECT restart_lsn FROM pg_replication_slots WHERE slot_name = 'pgsluice_" + group.group() + "'";
    const auto broker = connect_broker();
    CHECK(eventually("the numbers are those of PostgreSQL and JetStream", [&] {
        const std::string before = group.source_scalar(restart);
        Json json(group.with_source({"--json"}));
        const auto stream = broker->stream_state(names_for(group.group()).stream);
        return stream && std::string_view(json.root["health"]) == "ok" && bool(json.root["slot"]["active"]) &&
               std::string_view(json.root["slot"]["wal_status"]) == "reserved" &&
               std::string_view(json.root["slot"]["restart"]) == before &&
               std::uint64_t(json.root["stream"]["first_message"]) == stream->first_seq.value &&
               std::uint64_t(json.root["stream"]["last_message"]) <= stream->last_seq.value &&
               std::string_view(json.root["stream"]["oldest_needed_by"]) == "postgres" &&
               double(json.root["workers"].at(0)["behind_seconds"]) == 0;
    }));
    group.stop();
}

TEST_CASE("status: both processes say how many changes a second pass") {
    Watched group;
    group.start();
    group.settle();
    const auto passes = [&](const char* part) {
        group.on_source("INSERT INTO t SELECT max(id) + 1 FROM (SELECT id FROM t UNION ALL SELECT 0) t");
        Json json(group.with_source({"--json"}));
        const bool replicator = std::string_view(part) == "replicator";
        const auto of = replicator ? json.root[part] : json.root[part].at(0);
        double rate = 0;
        return of["changes_per_second"].get(rate) == simdjson::SUCCESS && rate > 0;
    };
    for (const char* part : {"replicator", "workers"}) {
        CAPTURE(part);
        CHECK(eventually("its rate is above none", [&] { return passes(part); }));
    }
    group.stop();
}

TEST_CASE("status: without the source the slot is as the replicator saw it") {
    Watched group;
    group.start();
    group.settle();
    CHECK(eventually("the replicator has reported the slot", [&] {
        const Finished status = group.status();
        return status.code == 0 && contains(status.out, "'pgsluice_" + group.group() + "': confirmed up to ");
    }));
    const Finished unreachable = group.status({"--source-url", "postgres://x@127.0.0.1:1/x"});
    CHECK(unreachable.code == 2);
    CHECK(contains(unreachable.out, "fail: source: "));
    CHECK(contains(unreachable.out, "streaming"));
    group.stop();
}

TEST_CASE("status: what was stopped is a warning, what has died a failure") {
    Watched group;
    group.start();
    group.settle();
    group.stop_worker();
    group.shows(1, "warn: worker 'postgres': it is not running");
    group.start_worker();
    group.shows(0, "group " + group.group() + ": ok");
    group.kill_worker();
    group.shows(2, "fail: worker 'postgres': it has not reported for", {"--dead-after", "1s"});
    group.start_worker();
    group.shows(0, "ok", {"--dead-after", "10s"});
    group.kill_replicator();
    group.shows(2, "fail: replicator: it has not reported for", {"--dead-after", "1s"});
    group.start_replicator();
    group.shows(0, "ok", {"--dead-after", "10s"});
    group.stop();
    group.shows(1, "warn: replicator: it is not running");
    group.shows(1, "warn: slot: no replicator reads it");
}

TEST_CASE("status: no stream and no slot are failures") {
    Watched group;
    CHECK(group.status().code == 2);
    CHECK(contains(group.status().out, "fail: stream: 'pgsluice_" + group.group() + "' does not exist"));
    group.start();
    group.settle();
    group.stop();
    group.on_source("SELECT pg_drop_replication_slot('pgsluice_" + group.group() + "')");
    group.shows(2, "fail: slot: 'pgsluice_" + group.group() + "' does not exist");
}

TEST_CASE("status: a worker that waits is behind by messages, bytes and seconds, and what it waits for is said") {
    Watched group;
    group.start();
    group.settle();
    pgsluice::sql::Connection blocker(shared_postgres().connect(group.target_db()));
    blocker.exec("BEGIN; LOCK TABLE public.t");
    group.on_source("INSERT INTO t SELECT generate_series(1, 10)");
    const std::string text = group.shows(1, "waiting for the target at", {"--warn-behind", "1s"});
    CHECK(contains(text, "warn: worker 'postgres': it is "));
    CHECK(group.with_source({"--fail-behind", "2s"}).code == 2);
    const Finished shown = group.with_source({"--json"});
    CAPTURE(shown.out);
    Json json(shown);
    const auto worker = json.root["workers"].at(0);
    CHECK(std::string_view(worker["state"]) == "waiting");
    CHECK(std::uint64_t(worker["behind_messages"]) >= 1);
    CHECK(std::uint64_t(worker["behind_bytes"]) > 0);
    CHECK(double(worker["behind_seconds"]) >= 10);
    blocker.exec("COMMIT");
    group.shows(0, "nothing behind");
    group.stop();
}

TEST_CASE("status: what stopped a worker is said, also when it has gone") {
    Watched group;
    group.start();
    group.settle();
    group.on_target("ALTER TABLE t ADD CHECK (id < 100)");
    group.on_source("INSERT INTO t VALUES (100)");
    CHECK(group.worker().wait() == 1);
    const std::string text = group.shows(2, "fail: worker 'postgres': not running: unable to ");
    CHECK(contains(text, "worker 'postgres' (postgres): stopped by: unable to "));
    group.stop_replicator();
}

TEST_CASE("status: a worker that tries again is no dead one, and how far it is behind is said") {
    Watched group;
    TcpProxy target(shared_postgres().port());
    group.go_through({.worker_to_target = target.port()});
    group.start();
    group.settle();
    target.refuse(true);
    target.cut();
    group.on_source("INSERT INTO t VALUES (1)");
    const std::string text = group.shows(1, "warn: worker 'postgres': trying again: unable to connect");
    CHECK(contains(text, "worker 'postgres' (postgres): waiting; applied up to "));
    Json json(group.with_source({"--json"}));
    const auto worker = json.root["workers"].at(0);
    CHECK(std::string_view(worker["state"]) == "waiting");
    CHECK_FALSE(bool(worker["failed"]));
    group.shows(2, "fail: worker 'postgres': it is ", {"--fail-behind", "3s", "--dead-after", "10s"});
    target.refuse(false);
    group.shows(0, "nothing behind");
    target.refuse(true);
    target.cut();
    group.shows(1, "trying again");
    group.stop_worker();
    group.shows(1, "warn: worker 'postgres': it is not running");
    group.stop_replicator();
}

TEST_CASE("status: a worker that has a part of a transaction is as far behind as its commit is old") {
    Watched group;
    TcpProxy nats(shared_nats().port());
    group.go_through({.replicator_to_nats = nats.port()});
    group.start();
    group.settle();
    const std::size_t before = nats.carried();
    group.on_source("INSERT INTO t SELECT generate_series(1, 1000000)");
    REQUIRE(eventually("a part of it is on its way", [&] { return nats.carried() > before + (1 << 20); }));
    nats.hold(true, true);
    group.shows(2, "fail: worker 'postgres': it is ", {"--fail-behind", "3s"});
    CHECK(group.target_scalar("SELECT count(*) FROM t WHERE id > 0") == "0");
    nats.hold(false, false);
    group.shows(0, "nothing behind");
    group.stop();
}

TEST_CASE("status: what is missing at a worker that does not run counts as behind") {
    Watched group;
    group.start();
    group.settle();
    group.stop_worker();
    group.on_source("INSERT INTO t VALUES (1)");
    const std::string text = group.shows(2, "fail: worker 'postgres': it is ", {"--fail-behind", "1s"});
    CHECK(contains(text, "warn: worker 'postgres': it is not running"));
    group.stop_replicator();
}

TEST_CASE("status: a start that is refused is said, of a worker and of a replicator") {
    Watched group;
    group.start();
    group.settle();
    group.stop();
    group.start_worker({"--target-url", group.target_url() + "_gone"});
    CHECK(group.worker().wait() == 1);
    CHECK(group.status().code == 2);
    CHECK(contains(group.status().out, "fail: worker 'postgres': not running: unable to connect"));
    group.on_source("SELECT pg_drop_replication_slot('pgsluice_" + group.group() + "')");
    group.start_replicator();
    CHECK(group.replicator().wait() == 1);
    const Finished refused = group.status();
    CHECK(refused.code == 2);
    CHECK(contains(refused.out, "fail: replicator: stopped: unable to "));
    CHECK(contains(refused.out, "fail: slot: "));
}

TEST_CASE("status: a replicator that is refused does not speak for the one that runs") {
    Watched group;
    group.start();
    group.settle();
    const Finished second = run(group.replicator_argv({"--copy-and-stream"}));
    CHECK(second.code != 0);
    const Finished status = group.status();
    CHECK_MESSAGE(status.code == 0, status.out);
    group.stop();
}

TEST_CASE("status: the snapshot's share, and a copy that has finished is well") {
    Watched group;
    group.on_source("INSERT INTO t SELECT generate_series(1, 1000)");
    group.start_replicator({"--copy"});
    CHECK(group.replicator().wait() == 0);
    const Finished none = group.with_source();
    CHECK(none.code == 1);
    CHECK(contains(none.out, "warn: workers: none is registered"));
    CHECK(contains(none.out, "replicator   finished"));
    group.start_worker();
    group.shows(0, "complete: epoch 1, 2 tables, 1000 rows");
    group.stop_worker();
}

TEST_CASE("status: all groups of a server") {
    NatsServer nats;
    Pipeline one({shared_postgres(), shared_postgres(), nats});
    Pipeline two({shared_postgres(), shared_postgres(), nats});
    const auto all = [&] { return run({PGSLUICE_BINARY, "status", "--all", "--nats-url", nats.url()}); };
    CHECK(all().code == 0);
    CHECK(contains(all().out, "no group has a stream"));
    one.start();
    two.start();
    one.settle();
    two.settle();
    CHECK(contains(all().out, "group " + one.group() + ": "));
    CHECK(contains(all().out, "group " + two.group() + ": "));
    one.stop();
    two.stop();
    CHECK(all().code == 1);
}

TEST_CASE("status: watch looks again until it is stopped, and raw is what it was") {
    Watched group;
    group.start();
    group.settle();
    Process watch({.argv = group.command_argv("viewer", {"status", "--watch"})});
    CHECK(eventually("two pictures", [&] {
        const std::string out = watch.out();
        const std::size_t first = out.find("group " + group.group());
        return first != std::string::npos && out.find("group " + group.group(), first + 1) != std::string::npos;
    }));
    watch.signal(SIGTERM);
    CHECK(watch.wait() == 0);
    const Finished raw = group.status({"--raw"});
    CHECK(raw.code == 0);
    CHECK(contains(raw.out, "stream 'pgsluice_" + group.group() + "': "));
    CHECK(contains(raw.out, "\nlsn: "));
    CHECK(contains(raw.out, "worker 'postgres' (postgres): applied up to "));
    group.stop();
}

TEST_CASE("status: watch outlives a restart of NATS") {
    NatsServer nats;
    Pipeline group({shared_postgres(), shared_postgres(), nats});
    group.on_both("CREATE TABLE t (id int PRIMARY KEY)");
    group.start();
    group.settle();
    Process watch({.argv = group.command_argv("viewer", {"status", "--watch"})});
    CHECK(eventually("a picture", [&] { return contains(watch.out(), "group " + group.group()); }));
    nats.kill();
    CHECK(says(watch, "looking again"));
    const std::size_t before = watch.out().size();
    nats.start();
    CHECK(eventually("another picture", [&] { return watch.out().size() > before; }));
    watch.signal(SIGTERM);
    CHECK(watch.wait() == 0);
    group.stop();
}
