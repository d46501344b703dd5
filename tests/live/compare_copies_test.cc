// compare while the set of tables changes: it waits for rows that are still to be copied, and does not take a table
// that has left for one that differs.
#include <doctest/doctest.h>

#include "sql/connection.h"
#include "tests/live/compare_fixture.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

TEST_CASE("a table whose copy was interrupted is not compared before it has been copied") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY, v text)");
    pipeline.on_source("INSERT INTO t SELECT generate_series(1, 100); INSERT INTO u VALUES (1, 'one'), (2, 'two')");
    pipeline.start({"--copy-and-stream", "--tables", "settled,t"});
    pipeline.settle();
    pipeline.stop_replicator();
    pipeline.start_replicator({"--copy-and-stream", "--tables", "settled,t,u"},
                              {{"PGSLUICE_FAILPOINT", "before-snapshot-end"}});
    Pipeline::must_die(pipeline.replicator());
    Process compare({.argv = compare_argv(pipeline)});
    CHECK(says(compare, "waiting for the replicator to copy the rows of public.u"));
    pipeline.start_replicator({"--copy-and-stream", "--tables", "settled,t,u"});
    CHECK(compare.wait(std::chrono::seconds(90)) == 0);
    INFO(compare.err());
    CHECK(contains(compare.out(), "public.u: equal, 2 rows\n"));
    pipeline.settle();
    pipeline.stop();
}

TEST_CASE("a partition that is detached while compare begins is not listed as different") {
    Pipeline pipeline;
    pipeline.on_both(
        "CREATE TABLE root (id int PRIMARY KEY) PARTITION BY RANGE (id);"
        "CREATE TABLE p1 PARTITION OF root FOR VALUES FROM (0) TO (100);"
        "CREATE TABLE p2 PARTITION OF root FOR VALUES FROM (100) TO (200)");
    pipeline.on_source("INSERT INTO root VALUES (1), (101)");
    pipeline.start({"--copy-and-stream", "--tables", "settled,root"});
    pipeline.settle();
    sql::Connection writer(shared_servers().source.connect(pipeline.source_db()));
    writer.exec("BEGIN; INSERT INTO public.settled VALUES (-1)");
    Process compare({.argv = compare_argv(pipeline)});
    CHECK(says(compare, "waiting for open transactions of the source that have written"));
    pipeline.on_source("ALTER TABLE root DETACH PARTITION p2; INSERT INTO p2 VALUES (102)");
    writer.exec("COMMIT");
    CHECK(compare.wait(std::chrono::seconds(90)) == 1);
    INFO(compare.err());
    CHECK(compare.out().empty());
    CHECK(contains(compare.err(), "unable to compare: table 'public.p2' has left the publication"));
    CHECK(contains(compare.err(), "HINT: Run it again when the replicator has noticed"));
    CHECK(eventually("run again, it compares what is left",
                     [&] { return contains(run_compare(pipeline).out, "public.p1: equal, 1 row"); }));
    pipeline.settle();
    pipeline.stop();
}
