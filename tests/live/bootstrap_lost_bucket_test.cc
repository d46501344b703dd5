// A group that begins with a dump loses its KV bucket, in which its state is: the stream still says that it begins so,
// and nothing is applied to a target of which nobody knows whether it holds the dump.
#include "stream/broker.h"
#include "tests/live/bootstrap_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/stream_group.h"

using namespace pgsluice::test;
using pgsluice::Names;

namespace {

struct Loss : Bootstrap {
    const std::unique_ptr<pgsluice::Broker> broker = connect_broker(shared_servers().nats.url());
    const Names names = pgsluice::names_for(group());

    void lose_bucket() { broker->delete_bucket(names); }
    void nothing_applied() { CHECK(target_scalar("SELECT count(*) FROM orders") == "0"); }
    // Of a replicator and a worker, which both refuse. Returns the replicator's hint.
    std::string both_refuse() {
        refusal(worker_argv("postgres", {}), "--bootstrap complete, and start the worker again.");
        const Finished stopped = run(replicator_argv({}));
        CHECK(stopped.code == 1);
        CHECK(contains(stopped.err, "and its KV bucket has lost how far that is"));
        await_state("bootstrap    not known: a dump as of 0/");
        return hint_in(stopped.err);
    }
};

constexpr const char* schema_only = "pg_dump --schema-only --no-publications --exclude-schema=pgsluice --dbname='";

}  // namespace

TEST_CASE("bootstrap: the bucket is lost while the replicator holds the snapshot, and it writes the state again") {
    Loss group;
    group.prepare();
    group.start_worker();
    CHECK(says(group.worker(), "waits until the target holds the dump"));
    group.stop_worker();
    group.lose_bucket();
    CHECK(says(group.replicator(), "its state is written again: waiting"));
    group.await_state("bootstrap    waiting for a dump of snapshot ");
    group.dump_and_restore();
    group.await_state("bootstrap    accumulating");
    group.lose_bucket();
    CHECK(says(group.replicator(), "its state is written again: accumulating"));
    group.start_worker();
    CHECK(says(group.worker(), "waits until the target holds the dump"));
    must_succeed(group.step("complete"));
    group.check_same();
    group.stop();
}

TEST_CASE("bootstrap: the bucket is lost with the snapshot, and it is prepared again") {
    Loss group;
    group.on_target("CREATE TABLE orders (id bigint PRIMARY KEY, n int, size text)");
    group.prepare();
    group.kill_replicator();
    group.lose_bucket();
    const std::string hint = group.both_refuse();
    group.nothing_applied();
    group.on_target("DROP TABLE orders");
    CHECK(contains(hint, "Otherwise start over with --bootstrap prepare --resnapshot."));
    refusal(group.replicator_argv({"--bootstrap", "prepare"}), "--bootstrap complete.");
    group.prepare({"--resnapshot"});
    group.start_worker();
    group.dump_and_restore();
    must_succeed(group.step("complete"));
    group.check_same();
    group.stop();
}

TEST_CASE("bootstrap: the bucket is lost while it accumulates, and the hints lead to the end") {
    Loss group;
    group.prepare();
    must_succeed(group.in_shell(group.printed()));
    must_succeed(group.step("accumulate"));
    CHECK(says(group.replicator(), "bootstrap: accumulating"));
    group.writers->await(20);
    group.kill_replicator();
    group.lose_bucket();
    const std::string hint = group.both_refuse();
    CHECK(contains(hint, "with --bootstrap accumulate. Then start it again without --bootstrap."));
    must_succeed(group.step("accumulate"));
    group.start();
    group.writers->await(20);
    CHECK(says(group.worker(), "waits until the target holds the dump"));
    must_succeed(group.in_shell(group.restore_command()));
    group.kill_replicator();
    group.kill_worker();
    group.lose_bucket();
    group.both_refuse();
    const std::string command =
        said(hint_in(run(group.worker_argv("postgres", {})).err), "pgsluice replicator", ", and start the worker");
    must_succeed(run_said(group, command));
    group.start();
    group.check_same();
    group.stop();
}

TEST_CASE("bootstrap: the bucket is lost when all is applied: a worker continues, and a new one is refused") {
    Loss group;
    group.prepare();
    group.dump_and_restore();
    must_succeed(group.step("complete"));
    group.start_worker();
    group.settle();
    group.stop();
    group.lose_bucket();
    refusal(group.replicator_argv({}), "or a worker has applied changes since, run the replicator once with");
    refusal(group.worker_argv("stdout", {}), "--bootstrap complete, and start the worker again.");
    group.start_worker();
    CHECK(says(group.worker(), "reads stream"));
    must_succeed(group.step("complete"));
    group.start_replicator();
    group.check_same();
    group.stop();
}

TEST_CASE("bootstrap: a worker that was thought to be gone does not read past the dump") {
    Loss group;
    must_succeed(
        group.in_shell(schema_only + group.source_url() + "' | psql --quiet --dbname='" + group.target_url() + "'"));
    group.start({"--stream"});
    group.await_stream();
    group.settle();
    group.stop_replicator();
    // In no transaction: the target is of the source's server, and a new slot waits for all that run there.
    REQUIRE(eventually("the worker stands still between transactions", [&] {
        group.worker().signal(SIGSTOP);
        const bool between = group.target_scalar(
                                 "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                                 "application_name LIKE 'pgsluice worker%' AND state <> 'idle'") == "0";
        if (!between) group.worker().signal(SIGCONT);
        return between;
    }));
    group.broker->kv_delete(group.names, "worker.postgres");
    group.prepare({"--resnapshot"});
    group.writers->await(20);
    group.worker().signal(SIGCONT);
    refusal(group.worker(), "--bootstrap complete, and start the worker again.");
    CHECK(contains(group.worker().err(), "nothing says that the target holds it"));
    group.kill_replicator();
}

TEST_CASE("bootstrap: once the group has begun again with a copy, its dump does not count, for any worker") {
    Loss group;
    group.prepare();
    group.dump_and_restore();
    must_succeed(group.step("complete"));
    group.start_worker();
    group.settle();
    group.stop();
    group.start_replicator({"--copy-and-stream", "--resnapshot"});
    group.await_stream();
    group.stop_replicator();
    group.start_replicator();
    group.start_worker({"--target-existing-rows", "truncate"});
    group.check_same();
    const std::string end = group.source_scalar("SELECT pg_current_wal_lsn()");
    group.on_source("INSERT INTO visits VALUES (1, 'last')");
    must_succeed(run(group.worker_argv("stdout", {"--exit-at-lsn", end})));
    group.stop();
}
