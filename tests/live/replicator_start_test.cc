// Starting, stopping and starting again, in every mode.
#include <doctest/doctest.h>

#include "stream/format/markers.h"
#include "tests/live/replicator_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;
using Kinds = std::vector<MessageKind>;

namespace {

const std::string one_table = "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1), (2)";
using Rows = std::vector<std::string>;

}  // namespace

TEST_CASE("mode stream brings what is written from its start on, and continues after a stop") {
    ReplicatorRun run(one_table);
    run.start();
    REQUIRE(run.wait_running());
    run.sql("INSERT INTO t VALUES (3)");
    CHECK(run.wait_inserted(1));
    run.stop();
    run.sql("INSERT INTO t VALUES (4)");
    run.start();
    CHECK(run.wait_inserted(2));
    run.stop();
    CHECK(run.inserted() == Rows{"3", "4"});
    const auto kinds = run.kinds();
    CHECK(kinds.at(0) == MessageKind::group);
    CHECK(kinds.at(1) == MessageKind::progress);
    const auto group = decode_group(run.messages().front().body);
    CHECK(group.dbname == run.database);
    CHECK(group.system_identifier == run.scalar("SELECT system_identifier FROM pg_control_system()"));
}

TEST_CASE("mode copy-and-stream copies once per group") {
    ReplicatorRun run(one_table);
    run.options.mode = ReplicatorMode::copy_and_stream;
    run.start();
    CHECK(run.wait_inserted(2));
    run.sql("INSERT INTO t VALUES (3)");
    CHECK(run.wait_inserted(3));
    run.stop();
    run.sql("INSERT INTO t VALUES (4)");
    run.start();
    CHECK(run.wait_inserted(4));
    run.stop();
    CHECK(run.inserted() == Rows{"1", "2", "3", "4"});
    const auto kinds = run.kinds();
    const Kinds start(kinds.begin(), kinds.begin() + 4);
    CHECK(start ==
          Kinds{MessageKind::group, MessageKind::snapshot_begin, MessageKind::copy, MessageKind::snapshot_end});
    CHECK(std::count(kinds.begin(), kinds.end(), MessageKind::snapshot_begin) == 1);
    CHECK(run.broker->kv_get(run.options.names, "epoch")->text == "1");
    CHECK(run.broker->kv_get(run.options.names, "snapshot")->text.find("\"complete\":true") != std::string::npos);
}

TEST_CASE("mode copy ends by itself, leaves nothing in the source, and does not copy twice") {
    ReplicatorRun run(one_table);
    run.options.mode = ReplicatorMode::copy;
    run.start();
    run.join();
    CHECK(run.kinds() ==
          Kinds{MessageKind::group, MessageKind::snapshot_begin, MessageKind::copy, MessageKind::snapshot_end});
    CHECK(run.slots() == 0);
    CHECK(run.publications() == 0);
    run.start();
    run.join();
    CHECK(run.logged("is complete already"));
    CHECK(run.inserted() == Rows{"1", "2"});
}

TEST_CASE("a second replicator of the group is refused while the first runs") {
    ReplicatorRun run(one_table);
    run.start();
    REQUIRE(run.wait_running());
    try {
        run_replicator(run.options, silent_log, [] {}, {});
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.action() == Action::retry);
        CHECK(std::string(error.what()).find("another replicator of the group is running") != std::string::npos);
    }
    run.stop();
}

TEST_CASE("killed between group and slot, or between slot and the first message: the slot is created again") {
    for (const bool slot_left : {false, true}) {
        ReplicatorRun run(one_table);
        run.broker->ensure_stream(run.options.names, {});
        auto publisher = run.broker->publisher(run.options.names, {}, {});
        publisher->publish(
            {MessageKind::group, {}, {}},
            encode(GroupInfo{run.database, run.scalar("SELECT system_identifier FROM pg_control_system()"), 1,
                             run.database, "15", "0"}));
        REQUIRE(publisher->await_acks(5000));
        if (slot_left)
            run.sql("SELECT pg_create_logical_replication_slot('" + run.options.names.slot + "', 'pgoutput')");
        run.sql("INSERT INTO t VALUES (3)");
        run.options.mode = ReplicatorMode::copy_and_stream;
        run.start();
        CHECK(run.wait_inserted(3));
        run.stop();
        CHECK(run.inserted() == Rows{"1", "2", "3"});
        const auto kinds = run.kinds();
        CHECK(std::count(kinds.begin(), kinds.end(), MessageKind::group) == 1);
    }
}

TEST_CASE("an unfinished copy is taken again under the next epoch, in both modes that copy") {
    for (const auto mode : {ReplicatorMode::copy, ReplicatorMode::copy_and_stream}) {
        ReplicatorRun run("CREATE TABLE t AS SELECT i AS a FROM generate_series(1, 200000) i");
        run.options.mode = mode;
        run.options.block_bytes = 1024;
        std::stop_source stop;
        run.options.on_snapshot_progress = [&](const SnapshotProgress& progress) {
            if (progress.rows > 0) throw retry_error("unable to go on: the test says so");
        };
        CHECK(run.error().action() == Action::retry);
        CHECK(eventually("what was published is stored", [&] { return run.last()->meta.kind == MessageKind::copy; }));
        CHECK(run.slots() == 0);
        run.options.on_snapshot_progress = {};
        run.options.mode = ReplicatorMode::stream;
        const Error unfinished = run.error();
        CHECK(unfinished.action() == Action::stop);
        CHECK(std::string(unfinished.what()).find("unfinished") != std::string::npos);
        run.options.mode = mode;
        run.start();
        CHECK(eventually("the copy is complete", [&] {
            const auto last = run.last();
            return last && last->meta.kind != MessageKind::copy && last->meta.kind != MessageKind::snapshot_begin;
        }));
        run.stop();
        std::vector<std::uint64_t> begun;
        std::uint64_t rows = 0;
        for (const auto& message : run.messages()) {
            if (message.meta.kind == MessageKind::snapshot_begin) {
                begun.push_back(decode_snapshot_begin(message.body).epoch);
                rows = 0;
            }
            rows += message.copy.rows;
        }
        CHECK(begun == std::vector<std::uint64_t>{1, 2});
        CHECK(rows == 200000);
    }
}

TEST_CASE("stopped while nats-server hangs at the end of the copy: the next start continues, or copies again") {
    NatsServer nats;
    ReplicatorRun run(one_table);
    run.options.nats.url = nats.url();
    run.broker = Broker::connect(run.options.nats, [](LogLevel, std::string_view) {}, {});
    run.options.mode = ReplicatorMode::copy_and_stream;
    std::atomic<bool> paused = false;
    run.options.on_snapshot_progress = [&](const SnapshotProgress& progress) {
        if (progress.rows == 2 && !paused) {
            nats.pause();
            paused = true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(250));  // so that every block is told of
    };
    run.start();
    REQUIRE(eventually("all rows are published", [&] { return paused.load(); }));
    run.end();
    nats.resume();
    run.start();  // with the slot when the end may have been stored, else with a new one and a new copy
    CHECK(run.wait_running());
    run.sql("INSERT INTO t VALUES (3)");
    CHECK(run.wait_inserted(3));
    run.stop();
}

TEST_CASE("--resnapshot starts over from a running group and from a lost one") {
    ReplicatorRun run(one_table);
    run.options.mode = ReplicatorMode::copy_and_stream;
    run.start();
    CHECK(run.wait_inserted(2));
    run.stop();
    run.sql("SELECT pg_drop_replication_slot('" + run.options.names.slot + "'); INSERT INTO t VALUES (3)");
    CHECK(run.error().action() == Action::stop);
    run.options.resnapshot = true;
    run.start();
    CHECK(run.wait_inserted(5));
    run.stop();
    CHECK(run.inserted() == Rows{"1", "2", "1", "2", "3"});
    run.options.resnapshot = false;
    run.start();
    run.sql("INSERT INTO t VALUES (4)");
    CHECK(run.wait_inserted(6));
    run.stop();
    CHECK(run.broker->kv_get(run.options.names, "epoch")->text == "2");
}
