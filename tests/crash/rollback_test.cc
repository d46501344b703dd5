// nats-server's store goes back to an earlier copy under processes that run and writers that write. What was between is
// in no slot any more: both sides find out and stop with their own error, and --resnapshot gets out of it.
#include <doctest/doctest.h>

#include <csignal>

#include "stream/broker.h"
#include "tests/crash/actor.h"
#include "tests/crash/seed.h"
#include "tests/crash/workload.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

void check_stopped(const std::string& name, Process& process, const std::string& reason) {
    CAPTURE(name);
    const int code = process.wait();
    CAPTURE(process.err());
    CHECK(code == 1);
    CHECK(contains(process.err(), reason));
    CHECK(contains(process.err(), "--copy-and-stream --resnapshot"));
}

std::string lines_in(const std::string& directory) { return run({"/bin/sh", "-c", "cat " + directory + "/*"}).out; }

// The slot has forgotten what the stream will lose, and the worker has applied it.
void run_ahead(Pipeline& pipeline, NatsServer& nats) {
    const Names names = names_for(pipeline.group());
    nats.keep_store();
    const Lsn kept = connect_broker(nats.url())->last_message(names.stream).value().meta.safe_flush_lsn;
    pipeline.settle();
    eventually("the slot is confirmed beyond the copy", [&] {
        return pipeline.source_scalar("SELECT confirmed_flush_lsn > '" + to_string(kept) +
                                      "' FROM pg_replication_slots WHERE slot_name = '" + names.slot + "'") == "t";
    });
}

}  // namespace

TEST_CASE("nats-server's store goes back under running processes") {
    const unsigned seed = crash_seed();
    for (const std::string confirm : {"stream", "applied"}) {
        CAPTURE(confirm);
        NatsServer nats;
        Pipeline pipeline({shared_postgres(), shared_postgres(), nats});
        pipeline.always({"--confirm", confirm}, {});
        pipeline.on_both(Workload::schema());
        pipeline.on_source(Workload::rows());
        pipeline.start();
        pipeline.settle();
        Workload workload(shared_postgres(), pipeline.source_db(), seed, 2);
        run_ahead(pipeline, nats);
        nats.roll_back();
        check_stopped("the replicator", pipeline.replicator(), "the broker lost messages");
        check_stopped("the worker", pipeline.worker(), "restored to an earlier state");

        pipeline.start_replicator({"--copy-and-stream", "--resnapshot"});
        eventually("the new copy begins", [&] { return contains(pipeline.replicator().err(), "copying "); });
        pipeline.start_worker({"--target-existing-rows", "truncate"});
        workload.stop();
        pipeline.check_equal(Workload::tables());
        pipeline.stop();
    }
}

// The new copy has the sequences of the one that was lost, and would have its epoch, too.
TEST_CASE("nats-server's store goes back to before the copy that a worker is loading") {
    NatsServer nats;
    Pipeline pipeline({shared_postgres(), shared_postgres(), nats});
    const std::vector<std::string> tables = {"keyed", "keyless"};
    pipeline.on_both(
        "CREATE TABLE keyed (id int PRIMARY KEY, pad text); CREATE TABLE keyless (n int, pad text); "
        "ALTER TABLE keyless REPLICA IDENTITY FULL");
    pipeline.on_source(
        "INSERT INTO keyed SELECT i, repeat('k', 100) FROM generate_series(1, 8000) i; "
        "INSERT INTO keyless SELECT i, repeat('n', 100) FROM generate_series(1, 8000) i");
    const auto replicator_dies_at = [&](const std::string& place) {
        pipeline.start_replicator({"--copy-and-stream"}, {{"PGSLUICE_FAILPOINT", place}});
        CHECK(pipeline.replicator().wait() == 128 + SIGKILL);
    };
    replicator_dies_at("after-group");
    nats.keep_store();
    pipeline.start_worker();
    const std::string directory = temporary_directory("rollback") + "/out";
    Actor file(pipeline.worker_argv("file", {"--file-output-dir", directory}));
    file.start();
    replicator_dies_at("before-snapshot-end");
    eventually("the worker loads the copy", [&] {
        return pipeline.target_scalar("SELECT count(*) FROM keyed") == "8000" &&
               pipeline.target_scalar("SELECT count(*) FROM keyless") == "8000" &&
               contains(lines_in(directory), R"("pad":"nnn)");
    });
    SUBCASE("at once") {}
    SUBCASE("and its checkpoint is beyond the end of the shorter copy that follows") {
        eventually("the checkpoint moves",
                   [&] { return pipeline.target_scalar("SELECT resume_seq >= 14 FROM pgsluice.progress") == "t"; });
    }
    pipeline.kill_worker();
    file.kill();
    nats.roll_back();
    pipeline.on_source(
        "DELETE FROM keyed WHERE id % 3 = 0; UPDATE keyed SET pad = 'changed' WHERE id % 3 = 1; "
        "DELETE FROM keyless WHERE n % 3 = 0; UPDATE keyless SET pad = 'changed' WHERE n % 3 = 1");
    pipeline.start_replicator();
    eventually("the copy is complete", [&] { return contains(pipeline.replicator().err(), "tables complete"); });
    pipeline.start_worker();
    file.start();
    pipeline.check_equal(tables);
    // Neither a row of the copy that was lost, nor one twice.
    eventually("the file worker has ended the copy",
               [&] { return contains(file.process().err(), "snapshot complete"); });
    const std::string lines = lines_in(directory);
    CHECK(count(lines, R"("Table":"keyed")") == 5334);
    CHECK(count(lines, R"("pad":"changed")") == 2 * 2667);
    pipeline.stop();
}
