// The set of tables changes around a running group while whoever dies at whatever place: every row of every table in
// the group is delivered.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/pipeline.h"
#include "tests/support/slow.h"

using namespace pgsluice::test;

namespace {

using Args = std::vector<std::string>;

void await_equal(Pipeline& pipeline, const std::vector<std::string>& tables) {
    for (const std::string& table : tables) {
        INFO("the replicator's messages:\n" << pipeline.replicator().err());
        INFO("the worker's messages:\n" << pipeline.worker().err());
        const std::string sum = pipeline.source_sum("ONLY " + table);
        const bool equal = eventually(
            table + " is equal", [&] { return pipeline.target_sum("ONLY " + table) == sum; },
            std::chrono::seconds(120));
        REQUIRE(equal);
    }
}

// A partitioned table and two others. What changes is that one is attached and written, the other made again.
struct Changing : Pipeline {
    const Args tables = {"--copy-and-stream", "--tables", "settled,root,t"};

    Changing() {
        on_both(
            "CREATE TABLE root (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);"
            "CREATE TABLE p1 PARTITION OF root FOR VALUES FROM (0) TO (100);"
            "CREATE TABLE p2 (id int PRIMARY KEY, v text); CREATE TABLE t (id int PRIMARY KEY, v text)");
        on_source(
            "INSERT INTO p1 VALUES (1, 'a'); INSERT INTO p2 SELECT i, 'old' FROM generate_series(100, 109) i;"
            "INSERT INTO t SELECT i, 'first' FROM generate_series(1, 10) i");
        start(tables);
        settle();
        stop_replicator();
    }
    void change() {
        on_source(
            "ALTER TABLE root ATTACH PARTITION p2 FOR VALUES FROM (100) TO (200); UPDATE p2 SET v = 'new' WHERE id = "
            "105;"
            "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'second')");
    }
    void check_after_death() {
        must_die(replicator());
        kill_replicator();
        on_source("UPDATE p2 SET v = v || '+'; DELETE FROM p2 WHERE id = 101; UPDATE t SET v = v || '+'");
        start_replicator(tables);
        await_equal(*this, {"p1", "p2", "t"});
        stop();
    }
};

}  // namespace

TEST_CASE("the replicator dies once at each step of taking in tables that changed while it was stopped") {
    for (const std::string place :
         {"after-record", "after-record:2", "after-publication", "before-added-copy", "copy-published",
          "before-snapshot-end", "after-snapshot-end", "after-added-copy"}) {
        CAPTURE(place);
        Changing pipeline;
        pipeline.change();
        pipeline.start_replicator(pipeline.tables, {{"PGSLUICE_FAILPOINT", place}});
        pipeline.check_after_death();
    }
}

// The session that streams ends, and another begins in the same process. The places are reached there first, but for
// the publication, which is looked at by each start.
TEST_CASE("the replicator dies once at each step of taking in tables that change while it runs" * slow) {
    for (const std::string place :
         {"after-record", "after-record:2", "after-publication:2", "before-added-copy", "copy-published",
          "before-snapshot-end", "after-snapshot-end", "after-added-copy"}) {
        CAPTURE(place);
        Changing pipeline;
        pipeline.start_replicator(pipeline.tables, {{"PGSLUICE_FAILPOINT", place}, {"PGSLUICE_TABLE_CHECK_MS", "500"}});
        pipeline.settle();
        pipeline.change();
        pipeline.check_after_death();
    }
}
