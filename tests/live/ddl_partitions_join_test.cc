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
