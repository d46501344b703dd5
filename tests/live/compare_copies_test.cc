// compare while a table's rows are still to be copied: it waits for them.
#include <doctest/doctest.h>

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
    CHECK(says(compare, "waiting for the replicator to copy the rows of ONLY \"public\".\"u\""));
    pipeline.start_replicator({"--copy-and-stream", "--tables", "settled,t,u"});
    CHECK(compare.wait(std::chrono::seconds(90)) == 0);
    INFO(compare.err());
    CHECK(contains(compare.out(), "public.u: equal, 2 rows\n"));
    pipeline.settle();
    pipeline.stop();
}
