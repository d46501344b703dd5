// Partitioned tables that a running group takes in: made with their rows in one transaction, or given a key later.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"

using namespace pgsluice::test;

namespace {

void check_joined(Pipeline& pipeline) {
    for (const std::string table : {"p1", "p2"}) {
        CAPTURE(table);
        INFO(pipeline.replicator().err());
        CHECK(eventually(
            "the rows of " + table + " arrive",
            [&] {
                return pipeline.target_scalar("SELECT to_regclass('" + table + "') IS NOT NULL") == "t" &&
                       pipeline.target_rows(table) == pipeline.source_rows(table);
            },
            std::chrono::seconds(40)));
    }
    pipeline.stop();
}

}  // namespace

TEST_CASE("a partitioned table is made with its partitions and rows in one transaction") {
    Pipeline pipeline;
    pipeline.start({"--copy-and-stream", "--track-ddl"});
    pipeline.settle();
    pipeline.on_source(
        "BEGIN; CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p "
        "FOR "
        "VALUES FROM (1) TO (10); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20); INSERT INTO p VALUES "
        "(1, 'a'), (11, 'b'); COMMIT");
    check_joined(pipeline);
}

TEST_CASE("a partitioned table is given its key after its partitions and rows were made") {
    Pipeline pipeline;
    pipeline.start({"--copy-and-stream", "--track-ddl"});
    pipeline.settle();
    pipeline.on_source(
        "CREATE TABLE p (id int, v text) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR "
        "VALUES FROM (1) TO (10); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)");
    pipeline.on_source("INSERT INTO p VALUES (1, 'a'), (11, 'b')");
    pipeline.on_source("ALTER TABLE p ADD PRIMARY KEY (id)");
    check_joined(pipeline);
}

// The worker reads the source's catalog as it is now: a later partition has rows of it that are in DEFAULT here.
TEST_CASE("a copy comes with a partition that the source has made since") {
    constexpr const char* attached =
        "BEGIN; CREATE TABLE p20 (id int PRIMARY KEY, v text); WITH moved AS (DELETE FROM rest WHERE id = 25 RETURNING "
        "*) INSERT INTO p20 SELECT * FROM moved; ALTER TABLE p ATTACH PARTITION p20 FOR VALUES FROM (20) TO (30); "
        "COMMIT";
    constexpr const char* made =
        "BEGIN; ALTER TABLE p DETACH PARTITION rest; CREATE TABLE p20 PARTITION OF p FOR VALUES FROM (20) TO (30); "
        "INSERT INTO p SELECT * FROM rest WHERE id = 25; DELETE FROM rest WHERE id = 25; ALTER TABLE p ATTACH "
        "PARTITION rest DEFAULT; COMMIT";
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE rest PARTITION OF p "
        "DEFAULT; INSERT INTO p VALUES (1, 'a'), (25, 'b')");
    std::vector<std::string> replicator{"--copy-and-stream", "--track-ddl"};
    std::vector<std::string> worker{"--target-sync-schema", "--source-url", pipeline.source_url()};
    bool by_root = true;
    const char* change = attached;
    SUBCASE("attached, and copied as its root") {}
    SUBCASE("made as a partition, and copied as its root") { change = made; }
    SUBCASE("attached, and copied as its root, by pg_dump") {
        worker.insert(worker.end(), {"--target-schema-from", "pg_dump"});
    }
    SUBCASE("attached, in a new copy of all") { by_root = false; }
    SUBCASE("made as a partition, in a new copy of all") {
        by_root = false;
        change = made;
    }
    if (by_root) replicator.emplace_back("--publish-via-partition-root");
    pipeline.start_replicator(replicator);
    pipeline.start_worker(worker);
    pipeline.check_equal({"p"});
    pipeline.stop_worker();
    if (by_root) {
        pipeline.on_source(
            "CREATE TABLE p10 (id int PRIMARY KEY, v text); INSERT INTO p10 VALUES (10, 'c'); "
            "ALTER TABLE p ATTACH PARTITION p10 FOR VALUES FROM (10) TO (20)");
        REQUIRE(says(pipeline.replicator(), "1 of 1 tables complete"));
        pipeline.on_source(change);
    } else {
        pipeline.stop_replicator();
        pipeline.on_source(change);
        replicator.emplace_back("--resnapshot");
        pipeline.start_replicator(replicator);
        worker.insert(worker.end(), {"--target-existing-rows", "truncate"});
    }
    pipeline.start_worker(worker);
    pipeline.check_equal({"p", "p20", "rest"});
    CHECK(pipeline.target_scalar("SELECT count(*) FROM pg_inherits WHERE inhparent = 'p'::regclass") ==
          (by_root ? "3" : "2"));
    pipeline.stop();
}
