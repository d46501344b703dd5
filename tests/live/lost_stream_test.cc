// What was lost or changed behind our back while all was stopped: each is found, with its own error, by both sides.
#include <doctest/doctest.h>

#include <filesystem>

#include "sql/error.h"
#include "stream/broker.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;
namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

namespace {

// A group that has replicated two rows and is stopped.
struct Group {
    explicit Group(PostgresServer& source = shared_postgres()) : pipeline({source, shared_postgres(), nats}) {
        pipeline.on_both("CREATE TABLE rows (id int PRIMARY KEY)");
        run(1);
        run(2);
    }
    void run(int row) {
        pipeline.start();
        pipeline.on_source("INSERT INTO rows VALUES (" + std::to_string(row) + ")");
        pipeline.settle();
        pipeline.stop();
    }
    std::unique_ptr<Broker> broker() { return connect_broker(nats.url()); }
    // The stream's settings, made so by hand.
    void edit(const std::string& settings) {
        ask_jetstream(*broker(), "$JS.API.STREAM.UPDATE." + names.stream,
                      R"({"name":")" + names.stream + R"(","subjects":[")" + names.snapshot_subject + R"(",")" +
                          names.changes_subject +
                          R"("],"retention":"limits","storage":"file","num_replicas":1,"max_bytes":-1,)" + settings +
                          "}");
    }
    void check_refused(const std::string& by_replicator, const std::string& by_worker) {
        pipeline.start();
        const int worker_code = pipeline.worker().wait();
        CAPTURE(pipeline.worker().err());
        CHECK(worker_code == 1);
        CHECK(pipeline.worker().err().find(by_worker) != std::string::npos);
        CHECK(pipeline.worker().err().find("HINT") != std::string::npos);
        check_replicator(by_replicator);
    }
    void check_replicator(const std::string& message) {
        if (!pipeline.has_replicator()) pipeline.start_replicator();
        const int code = pipeline.replicator().wait();
        CAPTURE(pipeline.replicator().err());
        CHECK(code == 1);
        CHECK(pipeline.replicator().err().find(message) != std::string::npos);
        CHECK(pipeline.replicator().err().find("HINT") != std::string::npos);
    }

    NatsServer nats;
    Pipeline pipeline;
    Names names = names_for(pipeline.group());
};

}  // namespace

TEST_CASE("a target that noted the stream while nats-server was still making it belongs to that stream") {
    Group group;
    group.pipeline.on_target("UPDATE pgsluice.progress SET stream = '0'");
    group.run(3);
    CHECK(group.pipeline.target_scalar("SELECT stream <> '0' FROM pgsluice.progress") == "t");
    CHECK(group.pipeline.target_scalar("SELECT count(*) FROM rows") == "3");
}

TEST_CASE("nats-server's store is deleted while it is stopped") {
    Group group;
    group.nats.kill();
    fs::remove_all(group.nats.store_dir());
    group.nats.start();
    // The worker alone waits for a stream: it cannot tell this from a group that begins.
    group.check_replicator("exists, but stream '" + group.names.stream + "' does not");
    group.broker()->ensure_stream(group.names, {});
    group.check_refused("exists, but stream '" + group.names.stream + "' does not", "was re-created after");
}

TEST_CASE("nats-server's store is restored to an earlier copy while it is stopped") {
    Group group;
    group.nats.keep_store();
    group.run(3);
    group.nats.roll_back();
    group.check_refused("the broker lost messages", "restored to an earlier state");
}

// With --confirm applied, and another worker that has applied little, the source has all changes still: the replicator
// continues a stream that lost its end. What comes again is in fewer and larger messages, and soon as many as before.
TEST_CASE("a worker does not take other messages for those that it had applied, after the broker lost them") {
    Group group;
    Pipeline& pipeline = group.pipeline;
    const Texts confirming{"--copy-and-stream", "--confirm", "applied"};
    const auto last_seq = [&] { return group.broker()->stream_state(group.names.stream)->last_seq.value; };
    const auto lines = [&](const std::string& worker, Texts more) {
        more.insert(more.end(), {"--file-output-dir", group.nats.store_dir() + "-" + worker, "--worker-name", worker});
        return run(pipeline.worker_argv("file", more));
    };
    const auto read_all = [&](const std::string& worker) {
        const std::string lsn = pipeline.source_scalar("SELECT pg_current_wal_lsn()");
        pipeline.settle();
        must_succeed(lines(worker, {"--exit-at-lsn", lsn}));
    };
    const std::string refused = "this is not the stream it has read from";
    pipeline.start_replicator(confirming);
    pipeline.start_worker();
    read_all("slow");
    pipeline.stop();
    group.nats.keep_store();
    pipeline.start_replicator(confirming);
    pipeline.start_worker();
    for (int i = 100; i < 115; ++i) {
        pipeline.on_source("INSERT INTO rows VALUES (" + std::to_string(i) + ")");
        pipeline.settle();
    }
    read_all("fast");
    const auto applied = last_seq();
    pipeline.stop_replicator();
    pipeline.worker().signal(SIGSTOP);
    group.nats.roll_back();
    pipeline.start_replicator(confirming);
    int row = 200;
    REQUIRE(eventually("the stream is as long as it was", [&] {
        pipeline.on_source("INSERT INTO rows VALUES (" + std::to_string(row++) + ")");
        return last_seq() > applied + 3;
    }));
    pipeline.worker().signal(SIGCONT);
    CHECK(pipeline.worker().wait() == 1);
    CHECK(contains(pipeline.worker().err(), "is not the one read before"));
    CHECK(contains(pipeline.worker().err(), refused));
    const Finished fast = lines("fast", {});
    CHECK(fast.code == 1);
    CHECK(contains(fast.err, refused));
    pipeline.stop_replicator();
    pipeline.start_replicator({"--copy-and-stream", "--resnapshot"});
    CHECK(says(pipeline.replicator(), "copying "));  // as the hint says
    pipeline.start_worker({"--target-existing-rows", "truncate"});
    pipeline.check_equal({"rows"});
    pipeline.stop();
}

TEST_CASE("the stream is purged by hand") {
    Group group;
    const auto broker = group.broker();
    // What nobody has applied yet goes, too: the worker is behind.
    const auto before = broker->stream_state(group.names.stream)->last_seq;
    group.pipeline.start_replicator();
    group.pipeline.on_source("INSERT INTO rows VALUES (3)");
    REQUIRE(eventually("the row is stored",
                       [&] { return broker->stream_state(group.names.stream)->last_seq.value > before.value + 1; }));
    group.pipeline.stop_replicator();
    ask_jetstream(*broker, "$JS.API.STREAM.PURGE." + group.names.stream, "");
    REQUIRE(eventually("it is empty", [&] { return broker->stream_state(group.names.stream)->messages == 0; }));
    group.check_refused("was emptied", "messages it had not applied were removed");
}

TEST_CASE("MaxAge is set by hand, while the replicator is stopped and while it runs") {
    Group group;
    const auto broker = group.broker();
    const auto expires = [&] { return broker->stream_state(group.names.stream)->max_age_ns != 0; };
    group.edit(R"("discard":"new","max_age":90000000000000)");
    REQUIRE(eventually("it has a maximum age", expires));
    group.check_replicator("it has a maximum age, so unread changes would expire");
    group.edit(R"("discard":"new","max_age":0)");
    REQUIRE(eventually("it has none", [&] { return !expires(); }));
    group.run(3);
    group.pipeline.start_replicator();
    group.pipeline.start_worker();
    group.pipeline.settle();
    group.edit(R"("discard":"new","max_age":90000000000000)");
    REQUIRE(eventually("it has a maximum age", expires));
    group.check_replicator("it has a maximum age, so unread changes would expire");
    group.pipeline.stop_worker();
}

TEST_CASE("a maximum number of messages is set by hand while the replicator runs") {
    Group group;
    for (const std::string limit : {"max_msgs", "max_msgs_per_subject"}) {
        CAPTURE(limit);
        group.pipeline.start_replicator();
        group.pipeline.await_stream();
        group.edit(R"("discard":"new",")" + limit + R"(":100000)");
        group.check_replicator("it has a maximum number of messages");
        group.pipeline.kill_replicator();
        group.edit(R"("discard":"new")");
    }
    group.run(3);
}

TEST_CASE("the source is set back to an older backup") {
    PostgresServer source;
    Group group(source);
    const auto data = source.data_directory();
    source.stop_immediate();
    REQUIRE(run({"cp", "-a", data, data + ".copy"}).code == 0);
    source.start();
    group.run(3);
    source.stop_immediate();
    fs::remove_all(data);
    fs::rename(data + ".copy", data);
    source.start();
    group.check_replicator("the source was set back");
    // Written to until it is further than before, it is no less another one.
    group.pipeline.kill_replicator();
    group.pipeline.on_source("INSERT INTO rows SELECT generate_series(100, 20000)");
    group.check_replicator("was set back to an earlier state");
}
