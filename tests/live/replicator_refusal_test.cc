// What a replicator refuses to start with, and that a refusal leaves nothing behind.
#include <doctest/doctest.h>

#include "stream/format/markers.h"
#include "tests/live/replicator_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

const std::string one_table = "CREATE TABLE t (a int PRIMARY KEY)";

void check_error(const Error& error, Action action, const std::string& part) {
    CAPTURE(std::string(error.what()));
    CHECK(error.action() == action);
    CHECK(std::string(error.what()).find(part) != std::string::npos);
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    CHECK_FALSE(error.hint().empty());
}

void check_nothing_left(ReplicatorRun& run) {
    CHECK(run.slots() == 0);
    CHECK(run.publications() == 0);
    CHECK_FALSE(run.broker->stream_state(run.options.names.stream));
}

// A group that has streamed a row and was stopped.
std::unique_ptr<ReplicatorRun> streamed() {
    auto run = std::make_unique<ReplicatorRun>(one_table);
    run->start();
    REQUIRE(run->wait_running());
    run->sql("INSERT INTO t VALUES (1)");
    REQUIRE(run->wait_inserted(1));
    run->stop();
    return run;
}

// The walsender of a replicator that has ended may not have noticed yet.
void drop_slot(ReplicatorRun& run) {
    const std::string slot = run.options.names.slot;
    REQUIRE(eventually("the slot is free", [&] {
        return run.scalar("SELECT NOT active FROM pg_replication_slots WHERE slot_name = '" + slot + "'") == "t";
    }));
    run.sql("SELECT pg_drop_replication_slot('" + slot + "')");
}

}  // namespace

TEST_CASE("a missing table, a view, an unlogged table, an empty schema") {
    ReplicatorRun run(one_table +
                      "; CREATE VIEW v AS SELECT 1; CREATE UNLOGGED TABLE u (a int); CREATE TABLE \"Mixed\" (a int); "
                      "CREATE SCHEMA nothing");
    const auto refused = [&](const std::string& table) {
        run.options.tables = {"t", table};
        return run.error();
    };
    check_error(refused("missing"), Action::stop, "table 'public.missing'");
    check_error(refused("v"), Action::stop, "'public.v': it is a view");
    check_error(refused("u"), Action::stop, "'public.u': it is unlogged");
    const Error mixed = refused("mixed");
    check_error(mixed, Action::stop, "table 'public.mixed'");
    CHECK(mixed.hint().find("'public.Mixed'") != std::string::npos);
    run.options.tables.clear();
    run.options.schema = "nothing";
    check_error(run.error(), Action::stop, "schema 'nothing'");
    run.options.schema = "nowhere";
    check_error(run.error(), Action::stop, "schema 'nowhere'");
    check_nothing_left(run);
}

TEST_CASE("a whole schema leaves out what cannot be published, and says so") {
    ReplicatorRun run(one_table +
                      "; CREATE UNLOGGED TABLE u (a int); CREATE VIEW v AS SELECT 1; CREATE TABLE keyless (a int)");
    run.start();
    REQUIRE(run.wait_running());
    run.stop();
    CHECK(run.logged("table 'public.u' is left out"));
    CHECK(run.logged("table 'public.keyless' has no replica identity"));
    CHECK_FALSE(run.logged("table 'public.t' has no replica identity"));
    CHECK(run.scalar("SELECT string_agg(tablename, ',' ORDER BY tablename) FROM pg_publication_tables") == "keyless,t");
}

TEST_CASE("wal_level replica, and no slot free") {
    PostgresServer replica({.settings = {{"wal_level", "replica"}}});
    {
        ReplicatorRun run(one_table, replica);
        check_error(run.error(), Action::stop, "wal_level is 'replica'");
        check_nothing_left(run);
    }
    PostgresServer full({.settings = {{"max_replication_slots", "1"}}});
    ReplicatorRun run(one_table, full);
    run.sql("SELECT pg_create_physical_replication_slot('taken')");
    check_error(run.error(), Action::stop, "all 1 are in use");
    check_nothing_left(run);
    run.sql("SELECT pg_drop_replication_slot('taken')");
    run.start();
    CHECK(run.wait_running());
    run.stop();
}

TEST_CASE("a role without the right to replicate, or to read") {
    ReplicatorRun run(one_table +
                      "; DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN; GRANT SELECT ON t TO reader");
    run.options.source.user = "reader";
    const Error refused = run.error();
    check_error(refused, Action::stop, " to start ");  // a walsender, which versions spell otherwise
    CHECK(refused.hint().find("REPLICATION") != std::string::npos);
    check_nothing_left(run);
    run.sql("ALTER ROLE reader REPLICATION");
    check_error(run.error(), Action::stop, "create publication");
    CHECK(run.slots() == 0);
    run.sql("REVOKE SELECT ON t FROM reader");
    run.options.mode = ReplicatorMode::copy;
    check_error(run.error(), Action::stop, "unable to lock the tables of the snapshot: permission denied for table t");
    CHECK(run.slots() == 0);
    run.sql("GRANT SELECT ON t TO reader");
    run.start();
    run.join();
    run.sql("REVOKE ALL ON t FROM reader; DROP ROLE reader");
}

TEST_CASE("no nats-server: nothing is made in the source") {
    ReplicatorRun run(one_table);
    const auto url = run.options.nats.url;
    run.options.nats.url = "nats://127.0.0.1:" + std::to_string(free_port());
    check_error(run.error(), Action::retry, "unable to ");
    run.options.nats.url = url;
    check_nothing_left(run);
}

TEST_CASE("what was lost is never gone over") {
    const auto run = streamed();
    const Names names = run->options.names;
    SUBCASE("the slot is gone") {
        drop_slot(*run);
        check_error(run->error(), Action::stop, "slot '" + names.slot + "' is gone");
    }
    SUBCASE("the slot was made anew") {
        drop_slot(*run);
        run->sql("INSERT INTO t VALUES (2)");
        run->sql("SELECT pg_create_logical_replication_slot('" + names.slot + "', 'pgoutput')");
        check_error(run->error(), Action::stop, "the slot was re-created");
    }
    SUBCASE("the publication is gone") {
        run->sql("DROP PUBLICATION " + names.publication);
        check_error(run->error(), Action::stop, "publication '" + names.publication + "' is gone");
    }
    SUBCASE("the stream is gone") {
        run->broker->delete_stream(names.stream);
        check_error(run->error(), Action::stop, "but stream '" + names.stream + "' does not");
    }
    SUBCASE("the slot is not ours") {
        drop_slot(*run);
        run->sql("SELECT pg_create_logical_replication_slot('" + names.slot + "', 'test_decoding')");
        check_error(run->error(), Action::stop, "it was not made by pgsluice, it is a slot of test_decoding in ");
    }
    SUBCASE("another database") {
        const auto other = shared_postgres().create_database();
        shared_postgres().sql(other, one_table);
        run->options.source.dbname = other;
        check_error(run->error(), Action::stop, "not made by pgsluice");
    }
}

TEST_CASE("a stream of another cluster") {
    ReplicatorRun run(one_table);
    run.broker->ensure_stream(run.options.names, {});
    auto publisher = run.broker->publisher(run.options.names, {}, {});
    publisher->publish({MessageKind::group, {}, {}}, encode(GroupInfo{run.database, "1", 1, run.database, "15", "0"}));
    REQUIRE(publisher->await_acks(5000));
    check_error(run.error(), Action::stop, "cluster (system_identifier) 1");
    CHECK(run.slots() == 0);
    CHECK(run.publications() == 0);
}

TEST_CASE("tables added to and taken from a running group") {
    const auto run = streamed();
    run->sql("CREATE TABLE u (a int PRIMARY KEY)");
    run->options.tables = {"u"};
    run->start();
    REQUIRE(run->wait_running());
    run->sql("INSERT INTO t VALUES (8); INSERT INTO u VALUES (9)");
    CHECK(run->wait_inserted(2));
    run->stop();
    CHECK(run->inserted() == std::vector<std::string>{"1", "9"});
    CHECK(run->logged("table 'public.u' is new in the group"));
    CHECK(run->logged("table 'public.t' is no longer replicated"));
}
