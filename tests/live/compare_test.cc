// compare: what was changed by hand on the target is listed, and nothing else.
#include <doctest/doctest.h>

#include "tests/live/compare_fixture.h"

using namespace pgsluice::test;

namespace {

// Source and target equal, both programs running.
void start(Pipeline& pipeline, const std::string& tables, const std::string& rows) {
    pipeline.on_both(tables);
    pipeline.on_source(rows);
    pipeline.start();
    pipeline.settle();
}

}  // namespace

TEST_CASE("compare says that tables are equal, and lists exactly the rows changed by hand") {
    Pipeline pipeline;
    start(pipeline, "CREATE TABLE t (id int PRIMARY KEY, name text, n numeric, j jsonb, f float8)",
          "INSERT INTO t SELECT i, 'name ' || i, i / 7.0, jsonb_build_object('i', i), i / 3.0 "
          "FROM generate_series(1, 5000) i");
    Finished done = run_compare(pipeline);
    INFO(done.err);
    CHECK(done.code == 0);
    CHECK(tables_of(done.out) == "public.t: equal, 5000 rows\n");

    pipeline.on_target(
        "UPDATE t SET name = 'other', f = 0 WHERE id = 7; DELETE FROM t WHERE id = 4321;"
        "INSERT INTO t VALUES (10001, 'more', 1, NULL, 1)");
    done = run_compare(pipeline);
    CHECK(done.code == 1);
    CHECK(tables_of(done.out) ==
          "public.t: 3 rows differ; the source has 5000 rows, the target 5000 rows\n"
          "  (id)=('7'): differs in name, f\n"
          "  (id)=('4321'): missing on the target\n"
          "  (id)=('10001'): on the target only\n");
    CHECK(done.err.find("other") == std::string::npos);

    done = run_compare(pipeline, {"--show-values", "--tables", "t", "--max-differences", "1"});
    CHECK(done.code == 1);
    CHECK(tables_of(done.out).find("    name 'name 7' on the source, 'other' on the target\n"
                                   "    f '2.3333333333333335' on the source, '0' on the target\n") !=
          std::string::npos);
    CHECK(done.out.find("4321") == std::string::npos);
    CHECK(done.out.find("settled") == std::string::npos);
    pipeline.stop();
}

TEST_CASE("compare finds rows in every range of the key, and in every kind of key") {
    Pipeline pipeline;
    start(pipeline,
          "CREATE TABLE i (k bigint PRIMARY KEY, pad text); CREATE TABLE u (k uuid PRIMARY KEY, pad text);"
          "CREATE TABLE s (k text PRIMARY KEY, pad text); CREATE TABLE n (k numeric PRIMARY KEY, pad text)",
          "INSERT INTO i SELECT x * 37 - 200000, repeat('x', 300) FROM generate_series(1, 12000) x;"
          "INSERT INTO u SELECT md5(x::text)::uuid, repeat('x', 300) FROM generate_series(1, 12000) x;"
          "INSERT INTO s SELECT x::text, repeat('x', 300) FROM generate_series(1, 12000) x;"
          "INSERT INTO n SELECT x / 10.0, repeat('x', 300) FROM generate_series(1, 12000) x");
    CHECK(run_compare(pipeline).code == 0);
    for (const char* table : {"i", "u", "s", "n"}) {
        CAPTURE(table);
        pipeline.on_target(std::string("UPDATE ") + table + " SET pad = 'y' WHERE hashtext(k::text) % 100 = 0");
        const std::string changed =
            pipeline.target_scalar(std::string("SELECT count(*) FROM ") + table + " WHERE pad = 'y'");
        const Finished done = run_compare(pipeline, {"--tables", table, "--max-differences", "1000"});
        INFO(done.err);
        CHECK(done.code == 1);
        CHECK(done.out.find(": " + changed + " rows differ; the source has 12000 rows") != std::string::npos);
    }
    pipeline.stop();
}

TEST_CASE("compare distinguishes NULL from the empty string, and rows with equal keys") {
    Pipeline pipeline;
    start(pipeline,
          "CREATE TABLE pairs (a text, b int, v text, PRIMARY KEY (a, b));"
          "CREATE TABLE keyless (v text); ALTER TABLE keyless REPLICA IDENTITY FULL",
          "INSERT INTO pairs SELECT x, i, nullif(i::text, '3') FROM generate_series(1, 50) i, unnest('{a,\"b "
          "c\"}'::text[]) x;"
          "INSERT INTO keyless SELECT i / 2 FROM generate_series(0, 9) i; INSERT INTO keyless VALUES (NULL), ('')");
    CHECK(tables_of(run_compare(pipeline).out) == "public.keyless: equal, 12 rows\npublic.pairs: equal, 100 rows\n");
    pipeline.on_target(
        "UPDATE pairs SET v = '' WHERE (a, b) = ('a', 3); UPDATE pairs SET v = NULL WHERE (a, b) = ('b c', 5);"
        "INSERT INTO keyless VALUES ('2'), ('2'); UPDATE keyless SET v = 'was null' WHERE v IS NULL");
    const Finished done = run_compare(pipeline);
    CHECK(done.code == 1);
    const std::string report = tables_of(done.out);
    CHECK(report.find("public.keyless: 4 rows differ; the source has 12 rows, the target 14 rows\n") == 0);
    CHECK(report.find("of the target: on the target only\n") != std::string::npos);
    CHECK(report.find("of the source: missing on the target\n") != std::string::npos);
    CHECK(report.find("was null") == std::string::npos);
    CHECK(report.find("public.pairs: 2 rows differ; the source has 100 rows, the target 100 rows\n"
                      "  (a, b)=('a', '3'): differs in v\n"
                      "  (a, b)=('b c', '5'): differs in v\n") != std::string::npos);
    pipeline.stop();
}

TEST_CASE("compare needs no common order of text keys, nor of columns, nor equal types") {
    Pipeline pipeline;
    pipeline.on_source("CREATE TABLE t (k text COLLATE \"en-x-icu\" PRIMARY KEY, n int, at timestamp, c varchar(8))");
    pipeline.on_target(
        "CREATE TABLE t (c text, at timestamptz, only_here int DEFAULT 5, n bigint, k text COLLATE \"C\" PRIMARY KEY)");
    pipeline.on_source(
        "INSERT INTO t SELECT chr(65 + i % 50) || md5(i::text), i, '2026-01-01'::timestamp + i * interval '1 s', i "
        "FROM generate_series(1, 20000) i; ANALYZE t");
    pipeline.start();
    pipeline.settle();
    CHECK(tables_of(run_compare(pipeline).out) ==
          "public.t: equal, 20000 rows\n"
          "  compared after conversion to the target's type: at (timestamp without time zone as timestamp with time "
          "zone)\n");
    pipeline.on_target("UPDATE t SET at = at + interval '1 us' WHERE n = 77; DELETE FROM t WHERE n = 78");
    const std::string report = tables_of(run_compare(pipeline).out);
    CHECK(report.find("public.t: 2 rows differ") == 0);
    CHECK(report.find("differs in at\n") != std::string::npos);
    CHECK(report.find("missing on the target\n") != std::string::npos);
    pipeline.stop();
}

TEST_CASE("compare reads partitions at both ends") {
    Pipeline pipeline;
    pipeline.on_source(
        "CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);"
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (1000)");
    pipeline.on_target(
        "CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY HASH (id);"
        "CREATE TABLE q1 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
        "CREATE TABLE q2 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1)");
    pipeline.on_source("INSERT INTO p SELECT i, i FROM generate_series(1, 500) i");
    pipeline.start_replicator({"--copy-and-stream", "--publish-via-partition-root"});
    pipeline.start_worker();
    pipeline.settle();
    CHECK(tables_of(run_compare(pipeline).out) == "public.p: equal, 500 rows\n");
    pipeline.on_target("UPDATE p SET v = 'x' WHERE id IN (50, 150)");
    CHECK(tables_of(run_compare(pipeline).out) ==
          "public.p: 2 rows differ; the source has 500 rows, the target 500 rows\n"
          "  (id)=('50'): differs in v\n"
          "  (id)=('150'): differs in v\n");
    pipeline.stop();
}

TEST_CASE("compare says what it needs") {
    Pipeline pipeline;
    start(pipeline, "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)");
    Finished done = run_compare(pipeline, {"--tables", "u"});
    CHECK(done.code == 1);
    CHECK(done.err.find("unable to compare 'public.u': the group does not replicate it") != std::string::npos);
    done = run_compare(pipeline, {"--worker-name", "other"});
    CHECK(done.code == 1);
    CHECK(done.err.find("has no worker 'other'") != std::string::npos);
    pipeline.on_target("DROP TABLE t");
    done = run_compare(pipeline);
    CHECK(done.code == 1);
    CHECK(tables_of(done.out) == "public.t: not compared: the target has no such table\n");
    pipeline.stop_worker();
    done = run_compare(pipeline);
    CHECK(done.code == 1);
    CHECK(done.err.find("unable to compare: worker 'postgres' is not running") != std::string::npos);
    CHECK(done.err.find("HINT: Start it") != std::string::npos);
    pipeline.stop_replicator();
}

TEST_CASE("compare prints JSON") {
    Pipeline pipeline;
    start(pipeline, "CREATE TABLE t (id int PRIMARY KEY, v text)", "INSERT INTO t VALUES (1, 'a'), (2, NULL)");
    pipeline.on_target("UPDATE t SET v = 'b'");
    const Finished done = run_compare(pipeline, {"--json", "--tables", "t", "--show-values"});
    CHECK(done.code == 1);
    CHECK(done.out.find(
              R"("tables":[{"table":"public.t","equal":false,"source_rows":2,"target_rows":2,"differences":2,)"
              R"("unread_rows":0,"repaired":0,"converted":[],"rows":[{"kind":"changed","key":{"id":"1"},"columns":)"
              R"([{"name":"v","source":"a","target":"b"}]},{"kind":"changed","key":{"id":"2"},"columns":)"
              R"([{"name":"v","source":null,"target":"b"}]}]}]})") != std::string::npos);
    pipeline.stop();
}
