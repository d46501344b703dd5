// `pgsluice resnapshot --tables`: single tables are copied again while the group's others continue. `pgsluice tables`.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Words = std::vector<std::string>;

Finished command(Pipeline& pipeline, Words words) {
    Words argv = {PGSLUICE_BINARY};
    argv.insert(argv.end(), words.begin(), words.end());
    argv.insert(argv.end(), {"--group", pipeline.group(), "--nats-url", shared_nats().url()});
    return run(argv);
}

void copy_again(Pipeline& pipeline, const std::string& tables) {
    const Finished asked = command(pipeline, {"resnapshot", "--tables", tables});
    INFO(asked.err);
    REQUIRE(asked.code == 0);
}

std::string listed(Pipeline& pipeline) {
    const Finished tables = command(pipeline, {"tables", "--json"});
    INFO(tables.err);
    REQUIRE(tables.code == 0);
    return tables.out;
}

bool await_rows(Pipeline& pipeline, const std::string& table) {
    return eventually("the target has the rows of " + table,
                      [&] { return pipeline.target_rows(table) == pipeline.source_rows(table); });
}

// Two tables, and a third without a key, whose rows on the target somebody has spoilt.
void spoil(Pipeline& pipeline) {
    pipeline.on_both(
        "CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, v text);"
        "CREATE TABLE keyless (v text); ALTER TABLE keyless REPLICA IDENTITY FULL");
    pipeline.on_source(
        "INSERT INTO a SELECT i, 'row ' || i FROM generate_series(1, 1000) i; INSERT INTO b VALUES (1, 'one');"
        "INSERT INTO keyless VALUES ('x'), ('x'), ('y')");
    pipeline.start();
    pipeline.settle();
    pipeline.on_target(
        "DELETE FROM a WHERE id < 500; INSERT INTO a VALUES (5000, 'no such row'); UPDATE b SET v = 'spoilt';"
        "INSERT INTO keyless VALUES ('z')");
}

}  // namespace

TEST_CASE("tables are copied again while the replicator runs, and no others") {
    Pipeline pipeline;
    spoil(pipeline);
    copy_again(pipeline, "a,key*");
    pipeline.on_source("INSERT INTO a VALUES (1001, 'meanwhile'); INSERT INTO b VALUES (2, 'two')");
    CHECK(await_rows(pipeline, "a"));
    CHECK(await_rows(pipeline, "keyless"));
    pipeline.on_source("UPDATE a SET v = 'later' WHERE id = 1; DELETE FROM keyless WHERE v = 'y'");
    pipeline.check_equal({"a", "keyless"});
    CHECK(pipeline.target_rows("b") == std::vector<std::string>{"(1,spoilt)", "(2,two)"});
    CHECK(contains(pipeline.replicator().err(), "table 'public.a' is copied again: pgsluice resnapshot asked for it"));
    pipeline.stop();
}

TEST_CASE("tables are copied again when the replicator is started") {
    Pipeline pipeline;
    spoil(pipeline);
    pipeline.stop_replicator();
    copy_again(pipeline, "public.a");
    copy_again(pipeline, "keyless");
    pipeline.start_replicator();
    CHECK(await_rows(pipeline, "a"));
    pipeline.check_equal({"a", "keyless"});
    pipeline.stop();
}

TEST_CASE("the tables of a group are listed") {
    Pipeline pipeline;
    spoil(pipeline);
    std::string before;  // the record is written after the rows have come
    eventually("both are copied", [&] {
        before = listed(pipeline);
        return contains(before, R"("table":"a","state":"copied","rows":1000)") &&
               contains(before, R"("table":"keyless","state":"copied","rows":3)");
    });
    CAPTURE(before);
    CHECK(contains(before, R"("table":"a","state":"copied","rows":1000)"));
    CHECK(contains(before, R"x("identity":"primary key (id)","published":true)x"));
    CHECK(contains(before, R"("table":"keyless","state":"copied","rows":3)"));
    CHECK(contains(before, R"("identity":"full")"));
    pipeline.stop_replicator();
    copy_again(pipeline, "a");
    pipeline.start_replicator();
    pipeline.settle();
    CHECK(eventually("the record says so", [&] { return contains(listed(pipeline), R"("rows":1000)"); }));
    CHECK(contains(command(pipeline, {"tables"}).out, "public.a"));
    pipeline.stop();
}

TEST_CASE("a table that the group does not have, and a group that copies nothing") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE a (id int PRIMARY KEY)");
    const Finished early = command(pipeline, {"resnapshot", "--tables", "a"});
    CHECK(early.code != 0);
    CHECK(contains(early.err, "unable to find the record of the tables of group"));
    pipeline.start({"--stream"});
    pipeline.await_stream();
    pipeline.settle();
    const Finished missing = command(pipeline, {"resnapshot", "--tables", "a,missing"});
    CHECK(missing.code != 0);
    CHECK(contains(missing.err, "unable to copy table 'public.missing' again: the group has no such table"));
    copy_again(pipeline, "a");
    CHECK(eventually("the replicator refuses", [&] {
        return contains(pipeline.replicator().err(),
                        "table 'public.a' is not copied again: start the replicator with --copy-and-stream");
    }));
    pipeline.on_source("INSERT INTO a VALUES (1)");
    pipeline.check_equal({"a"});
    pipeline.stop();
}

TEST_CASE("lines say which tables begin again") {
    Pipeline pipeline;
    spoil(pipeline);
    const auto lines = [&] {
        const Finished worker = run(
            pipeline.worker_argv("stdout", {"--exit-at-lsn", pipeline.source_scalar("SELECT pg_current_wal_lsn()")}));
        INFO(worker.err);
        REQUIRE(worker.code == 0);
        return worker.out;
    };
    CHECK(contains(lines(), R"("id":1000)"));
    copy_again(pipeline, "a");
    CHECK(await_rows(pipeline, "a"));
    pipeline.settle();
    const std::string again = lines();
    CAPTURE(again.substr(0, 1000));
    CHECK(contains(again, R"("Type":"SNAPSHOT")"));
    CHECK(contains(again, R"("id":1000)"));
    CHECK_FALSE(contains(again, R"("v":"one")"));
    pipeline.stop();
}

TEST_CASE("what inherits from a table, and its partitions, are copied again with it") {
    Pipeline pipeline;
    pipeline.on_both(
        "CREATE TABLE m (id int PRIMARY KEY); CREATE TABLE c (PRIMARY KEY (id)) INHERITS (m);"
        "CREATE TABLE root (id int PRIMARY KEY) PARTITION BY RANGE (id);"
        "CREATE TABLE p PARTITION OF root FOR VALUES FROM (0) TO (100)");
    pipeline.on_source("INSERT INTO m VALUES (1); INSERT INTO c VALUES (2); INSERT INTO root VALUES (3)");
    pipeline.start({"--copy-and-stream", "--tables", "settled,m,root"});
    pipeline.settle();
    pipeline.on_target("DELETE FROM m; DELETE FROM root; INSERT INTO c VALUES (7)");
    copy_again(pipeline, "m,root");
    for (const std::string table : {"ONLY m", "c", "p"}) CHECK(await_rows(pipeline, table));
    pipeline.check_equal({"ONLY m", "c", "p"});
    pipeline.stop();
}

namespace {

bool await_rows(Pipeline& pipeline, const std::string& target, const Words& rows) {
    return eventually("the target has the rows of " + target, [&] { return pipeline.target_rows(target) == rows; });
}

}  // namespace

TEST_CASE("a table that is routed to another name is copied again, or made again") {
    const TextFile routing("a: {destination_table: there}", "routing.yaml");
    Pipeline pipeline;
    pipeline.on_source("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1), (2)");
    pipeline.on_target("CREATE TABLE there (id int PRIMARY KEY)");
    pipeline.start_replicator({"--copy-and-stream", "--tables", "settled,a"});
    pipeline.start_worker({"--routing-config", routing.path()});
    pipeline.settle();
    pipeline.on_target("DELETE FROM there WHERE id = 1; INSERT INTO there VALUES (7)");
    copy_again(pipeline, "a");
    CHECK(await_rows(pipeline, "there", {"(1)", "(2)"}));
    pipeline.on_source("DROP TABLE a; CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (3)");
    CHECK(await_rows(pipeline, "there", {"(3)"}));
    pipeline.on_source("INSERT INTO a VALUES (4)");
    CHECK(await_rows(pipeline, "there", {"(3)", "(4)"}));
    pipeline.stop();
}

// The log names partitions, too, whose changes come as the root's.
TEST_CASE("a root that is routed is truncated and copied again, and its partitions are no others in its target") {
    const TextFile routing("{p: {destination_table: all_of_them}}", "routing.yaml");
    const Words with_root{"--copy-and-stream", "--publish-via-partition-root", "--tables", "settled,p"};
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p DEFAULT; INSERT "
        "INTO p VALUES (1)");
    pipeline.on_target("CREATE TABLE all_of_them (id int PRIMARY KEY)");
    for (int start = 0; start < 2; ++start) {
        pipeline.start_replicator(with_root);
        for (int session = 0; session < 2; ++session) {
            pipeline.start_worker({"--routing-config", routing.path()});
            pipeline.on_source("TRUNCATE p; INSERT INTO p VALUES (2)");
            pipeline.settle();
            CHECK(pipeline.target_rows("all_of_them") == Words{"(2)"});
            pipeline.stop_worker();
        }
        pipeline.stop_replicator();
    }
    pipeline.start_replicator(with_root);
    pipeline.start_worker({"--routing-config", routing.path()});
    pipeline.on_target("INSERT INTO all_of_them VALUES (7)");
    copy_again(pipeline, "p");
    CHECK(await_rows(pipeline, "all_of_them", {"(2)"}));
    pipeline.stop();
}

TEST_CASE("tables that are routed into one are copied again together, or the worker leaves the others' rows alone") {
    const TextFile routing("{a: {destination_table: all_of_them}, b: {destination_table: all_of_them}}",
                           "routing.yaml");
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1), (2);"
        "CREATE TABLE b (id int PRIMARY KEY); INSERT INTO b VALUES (11), (12)");
    pipeline.on_target("CREATE TABLE all_of_them (id int PRIMARY KEY)");
    const auto start_worker = [&](Words more = {}) {
        more.insert(more.end(), {"--routing-config", routing.path()});
        pipeline.start_worker(more);
    };
    pipeline.start_replicator({"--copy-and-stream", "--tables", "settled,a,b"});
    start_worker();
    pipeline.settle();
    SUBCASE("together") {
        pipeline.on_target("DELETE FROM all_of_them WHERE id = 1; INSERT INTO all_of_them VALUES (7)");
        copy_again(pipeline, "a,b");
        CHECK(await_rows(pipeline, "all_of_them", {"(1)", "(11)", "(12)", "(2)"}));
    }
    SUBCASE("one of them: the choice is the user's") {
        pipeline.on_target("DELETE FROM all_of_them WHERE id IN (1, 11); INSERT INTO all_of_them VALUES (7)");
        for (const Words& flags : {Words{}, Words{"--target-existing-rows", "truncate"}}) {
            pipeline.stop_worker();
            start_worker(flags);
            if (flags.empty()) copy_again(pipeline, "a");
            CHECK(pipeline.worker().wait() == 1);
            CHECK(
                contains(pipeline.worker().err(),
                         "unable to start the copy: the target already holds rows in \"public\".\"all_of_them\", which "
                         "public.b fills as well"));
            CHECK(contains(pipeline.worker().err(), "start the worker once with --target-existing-rows keep"));
            CHECK(pipeline.target_rows("all_of_them") == Words{"(12)", "(2)", "(7)"});
            pipeline.kill_worker();
        }
        pipeline.on_target("DELETE FROM all_of_them WHERE id < 10");
        start_worker({"--target-existing-rows", "keep"});
        CHECK(await_rows(pipeline, "all_of_them", {"(1)", "(12)", "(2)"}));
        pipeline.settle();
        pipeline.stop_worker();
        start_worker();
    }
    pipeline.on_source("INSERT INTO a VALUES (3); INSERT INTO b VALUES (13)");
    pipeline.settle();
    CHECK(pipeline.target_scalar("SELECT count(*) FROM all_of_them WHERE id IN (3, 13)") == "2");
    pipeline.stop();
}
