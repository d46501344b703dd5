// `pgsluice resnapshot --tables`: single tables are copied again while the group's others continue. `pgsluice tables`.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

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
    const std::string before = listed(pipeline);
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
