// `compare`: of columns whose types differ it says that they were converted before they were compared.
#include <doctest/doctest.h>

#include "tests/live/compare_fixture.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

TEST_CASE("compare: a table that is equal only after conversion says which columns were converted") {
    if (hardened_by_environment()) return;
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE TABLE t (id int PRIMARY KEY, n numeric(20,6), z timestamptz, v text); INSERT INTO t VALUES (1, "
        "1.123456, '2024-01-01 12:00+05', 'x'); CREATE TABLE same (id int PRIMARY KEY, n numeric(20,6))");
    pipeline.on_target(
        "CREATE TABLE t (id bigint PRIMARY KEY, n numeric(10,2), z timestamp, v varchar); CREATE TABLE same (id int "
        "PRIMARY KEY, n numeric(20,6))");
    pipeline.start_replicator();
    pipeline.start_worker();
    pipeline.settle();
    const Finished compared = run_compare(pipeline);
    CHECK(compared.code == 0);
    CHECK(tables_of(compared.out) ==
          "public.same: equal, 0 rows\n"
          "public.t: equal, 1 row\n"
          "  compared after conversion to the target's type: n (numeric(20,6) as numeric(10,2)), z (timestamp with "
          "time zone as timestamp without time zone)\n");
    CHECK(contains(run_compare(pipeline, {"--json"}).out,
                   R"x("converted":[{"column":"n","source_type":"numeric(20,6)","target_type":"numeric(10,2)"},)x"));
    pipeline.stop();
}
