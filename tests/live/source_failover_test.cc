// The source's standby is promoted: the group continues where its slot came along and the standby had all that was
// published, and stops with the way out where not.
#include <doctest/doctest.h>

#include "sql/replication.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// A group that streams, and the standby of its source.
struct Failover {
    PostgresServer source;
    Pipeline pipeline{{source, shared_postgres(), shared_nats()}};
    std::unique_ptr<PostgresServer> standby;

    Failover() {
        pipeline.on_both("CREATE TABLE plain (id int)");  // without a key, so that a repeat is seen
        pipeline.start();
        pipeline.settle();
        pipeline.stop_replicator();
        standby = PostgresServer::standby_of(source);
        pipeline.start_replicator();
        pipeline.on_source("INSERT INTO plain SELECT generate_series(1, 1000)");
        pipeline.settle();
        standby->catch_up_with(source);
        await_slot();
    }

    [[nodiscard]] std::string slot() const { return "pgsluice_" + pipeline.group(); }

    // From version 17 on, what PostgreSQL synchronizes is good for something only once it is no longer temporary.
    void await_slot() {
        const std::string ready = source.version() < 170000 ? "true" : "synced AND NOT temporary";
        const bool found = eventually(
            "the standby has the slot",
            [&] {
                return standby->scalar("postgres", "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '" +
                                                       slot() + "' AND " + ready) == "1";
            },
            std::chrono::seconds(60));
        REQUIRE(found);
    }

    void fail_over() {
        source.stop_immediate();
        source.fail_over_to(*standby);
    }

    // A start that ends with an error.
    Finished refused() { return run(pipeline.replicator_argv({"--copy-and-stream", "--retry-max-attempts", "0"})); }
};

}  // namespace

TEST_CASE("the group continues on a promoted standby that has its slot") {
    Failover failover;
    Pipeline& pipeline = failover.pipeline;
    pipeline.kill_replicator();
    pipeline.on_source("INSERT INTO plain SELECT generate_series(1001, 2000)");  // not read before
    failover.standby->catch_up_with(failover.source);
    failover.fail_over();
    pipeline.on_source("INSERT INTO plain SELECT generate_series(2001, 3000)");
    pipeline.start_replicator();
    CHECK(says(pipeline.replicator(), "the source was promoted: it is on timeline 2 now"));
    pipeline.check_equal({"plain"});
    CHECK(pipeline.target_scalar("SELECT count(*) FROM plain") == "3000");

    pipeline.stop_replicator();
    pipeline.start_replicator();  // nothing is to be decided again
    pipeline.on_source("INSERT INTO plain SELECT generate_series(3001, 4000)");
    pipeline.check_equal({"plain"});
    CHECK_FALSE(contains(pipeline.replicator().err(), "was promoted"));
    pipeline.stop();
}

TEST_CASE("a running replicator whose URL names both servers finds the promoted one by itself") {
    Failover failover;
    Pipeline& pipeline = failover.pipeline;
    pipeline.stop_replicator();
    const std::string both = "postgresql://postgres@127.0.0.1:" + std::to_string(failover.source.port()) +
                             ",127.0.0.1:" + std::to_string(failover.standby->port()) + "/" + pipeline.source_db() +
                             "?target_session_attrs=read-write";
    pipeline.start_replicator({"--copy-and-stream", "--source-url", both});
    pipeline.settle();
    failover.standby->catch_up_with(failover.source);
    failover.fail_over();
    pipeline.on_source("INSERT INTO plain SELECT generate_series(2001, 3000)");
    pipeline.check_equal({"plain"});
    CHECK(contains(pipeline.replicator().err(), "the source was promoted: it is on timeline 2 now"));
    pipeline.stop();
}

TEST_CASE("a promoted standby that lacks published changes stops the group, and the hint helps") {
    Failover failover;
    Pipeline& pipeline = failover.pipeline;
    failover.standby->stop_immediate();
    pipeline.on_source("INSERT INTO plain SELECT generate_series(1001, 2000)");
    pipeline.settle();
    pipeline.kill_replicator();
    failover.source.stop_immediate();
    failover.standby->start();
    failover.fail_over();
    const auto stopped = failover.refused();
    CAPTURE(stopped.err);
    CHECK(stopped.code == 1);
    CHECK(contains(stopped.err, "the source's timeline 2 branched off from timeline 1 at "));
    CHECK(contains(stopped.err, "the server that was promoted lacks changes that were replicated"));
    CHECK(contains(stopped.err, "HINT: Run the replicator once with --copy-and-stream --resnapshot to copy group '"));
    pipeline.stop_worker();
    pipeline.start_replicator({"--copy-and-stream", "--resnapshot"});
    CHECK(says(pipeline.replicator(), "copying"));
    pipeline.start_worker({"--target-existing-rows", "truncate"});
    pipeline.check_equal({"plain"});
    CHECK(pipeline.target_scalar("SELECT count(*) FROM plain") == "1000");
    pipeline.stop_replicator();
    pipeline.start_replicator();
    pipeline.check_equal({"plain"});
    pipeline.stop();
}

TEST_CASE("the old primary is refused once the group has continued on the new one") {
    Failover failover;
    Pipeline& pipeline = failover.pipeline;
    pipeline.kill_replicator();
    failover.standby->catch_up_with(failover.source);
    failover.fail_over();
    pipeline.start_replicator();
    pipeline.check_equal({"plain"});
    pipeline.stop_replicator();
    PostgresServer& old = *failover.standby;
    old.start();
    auto argv = pipeline.replicator_argv({"--copy-and-stream", "--retry-max-attempts", "0"});
    for (std::string& word : argv)
        if (word == pipeline.source_url()) word = old.url(pipeline.source_db());
    const auto stopped = run(argv);
    CAPTURE(stopped.err);
    CHECK(stopped.code == 1);
    CHECK(contains(stopped.err, "it has read the source's timeline 2, and the source is on timeline 1"));
    CHECK(contains(stopped.err, "HINT: Connect to the server that the group has read last"));
    pipeline.start_replicator();  // as the hint says
    pipeline.check_equal({"plain"});
    pipeline.stop();
}

TEST_CASE("a promoted standby without the slot stops the group") {
    Failover failover;
    Pipeline& pipeline = failover.pipeline;
    pipeline.kill_replicator();
    failover.standby->catch_up_with(failover.source);
    failover.fail_over();
    failover.source.drop_slot(pipeline.source_db(), failover.slot());
    const auto stopped = failover.refused();
    CAPTURE(stopped.err);
    CHECK(stopped.code == 1);
    CHECK(contains(stopped.err, "the server that was promoted has no slot 'pgsluice_"));
    CHECK(contains(stopped.err, "sync_replication_slots = on"));
    pipeline.stop_worker();
}

TEST_CASE("from version 17 on the slot is a failover slot, and one of an earlier version becomes one") {
    PostgresServer source;
    if (source.version() < 170000) return;  // tests/README.md
    Pipeline pipeline({source, shared_postgres(), shared_nats()});
    const std::string is_failover =
        "SELECT failover FROM pg_replication_slots WHERE slot_name = 'pgsluice_" + pipeline.group() + "'";
    for (const std::string mode : {"--stream", "--copy-and-stream"}) {
        CAPTURE(mode);
        pipeline.start_replicator({mode, "--resnapshot"});
        pipeline.await_stream();
        CHECK(pipeline.source_scalar(is_failover) == "t");
        pipeline.stop_replicator();
    }
    {
        sql::ReplicationConnection connection(source.connect(pipeline.source_db()));
        connection.connection().exec("ALTER_REPLICATION_SLOT pgsluice_" + pipeline.group() + " (FAILOVER false)");
    }
    pipeline.start_replicator();
    CHECK(says(pipeline.replicator(), "is a failover slot now"));
    CHECK(pipeline.source_scalar(is_failover) == "t");
    pipeline.await_stream();
    pipeline.stop_replicator();
}

TEST_CASE("from version 17 on, check warns of a standby that is not waited for") {
    PostgresServer source;
    if (source.version() < 170000) return;
    const auto standby = PostgresServer::standby_of(source);
    Pipeline pipeline({source, shared_postgres(), shared_nats()});
    eventually("the standby streams", [&] {
        return source.scalar("postgres", "SELECT active FROM pg_replication_slots WHERE slot_name = 'standby'") == "t";
    });
    const auto check = [&] {
        return run({PGSLUICE_BINARY, "check", "--group", pipeline.group(), "--source-url", pipeline.source_url(),
                    "--nats-url", shared_nats().url()})
            .out;
    };
    const std::string way_out = "Set synchronized_standby_slots = 'standby' on the source";
    const std::string warned = check();
    CAPTURE(warned);
    CHECK(contains(warned, "the slot would be a failover slot"));
    CHECK(contains(warned, way_out));
    source.sql("postgres", "ALTER SYSTEM SET synchronized_standby_slots = 'standby'");
    source.sql("postgres", "SELECT pg_reload_conf()");
    eventually("the setting is in force",
               [&] { return source.scalar("postgres", "SHOW synchronized_standby_slots") == "standby"; });
    CHECK_FALSE(contains(check(), way_out));
}
