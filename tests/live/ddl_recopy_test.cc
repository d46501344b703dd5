// Values that the source computed for existing rows arrive as they are: a target computes none of them again.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

const std::vector<std::string> tracked = {"--copy-and-stream", "--track-ddl"};

void begin(Pipeline& pipeline) {
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY, v int, ts timestamp)");
    pipeline.on_source("INSERT INTO t SELECT i, i, '2024-07-01 12:00' FROM generate_series(1, 20) i");
    pipeline.start(tracked);
    pipeline.settle();
}

std::size_t copies(Pipeline& pipeline) { return count(pipeline.replicator().err(), "is copied again"); }

// The rows are equal once the table has been copied, which takes another session of the replicator.
void check_copied(Pipeline& pipeline, std::size_t times) {
    CHECK(eventually("the table is copied again", [&] { return copies(pipeline) >= times; }));
    CHECK(eventually("the rows are equal", [&] { return pipeline.target_rows("t") == pipeline.source_rows("t"); }));
    pipeline.on_source("INSERT INTO t (id, v) SELECT max(id) + 1, 0 FROM t");
    pipeline.on_source("UPDATE t SET v = v + 1 WHERE id = 3");
    pipeline.check_equal({"t"});
    CHECK(copies(pipeline) == times);
}

}  // namespace

TEST_CASE("a volatile default, a USING and a session's time zone: the rows are copied again") {
    Pipeline pipeline;
    begin(pipeline);
    pipeline.on_source("DELETE FROM t WHERE id IN (2, 5, 7)");
    pipeline.on_source("UPDATE t SET v = v WHERE id = 1");  // its place in the table is another one now
    pipeline.on_source("ALTER TABLE t ADD COLUMN n bigserial, ADD COLUMN u uuid DEFAULT gen_random_uuid()");
    check_copied(pipeline, 1);
    pipeline.on_source("ALTER TABLE t ALTER v TYPE bigint USING v * 100");
    check_copied(pipeline, 2);
    pipeline.on_source("SET TimeZone = 'Europe/Berlin'; ALTER TABLE t ALTER ts TYPE timestamptz");
    check_copied(pipeline, 3);
    pipeline.stop();
}

TEST_CASE("a USING on a partitioned table: its partitions are copied again") {
    Pipeline pipeline;
    pipeline.on_both(
        "CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR "
        "VALUES FROM (0) TO (10); CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (99)");
    pipeline.on_source("INSERT INTO t SELECT i, repeat('v', i) FROM generate_series(1, 20) i");
    pipeline.start(tracked);
    pipeline.settle();
    pipeline.on_source("ALTER TABLE t ALTER v TYPE int USING length(v), ADD n bigserial");
    CHECK(eventually("the rows are equal", [&] {
        return pipeline.target_scalar(
                   "SELECT count(*) FROM pg_attribute WHERE attname = 'n' AND attrelid = "
                   "'t'::regclass") == "1" &&
               pipeline.target_rows("t") == pipeline.source_rows("t");
    }));
    pipeline.on_source("UPDATE t SET v = v + 1 WHERE id = 3; DELETE FROM t WHERE id = 15");
    pipeline.check_equal({"t"});
    pipeline.stop();
}

TEST_CASE("a constant that the server keeps, and conversions that are the same everywhere: nothing is copied") {
    Pipeline pipeline;
    begin(pipeline);
    pipeline.on_source("ALTER TABLE t ADD COLUMN at timestamptz DEFAULT now()");
    pipeline.on_source("ALTER TABLE t ALTER v TYPE bigint");
    pipeline.on_source("INSERT INTO t (id, v) VALUES (100, 9999999999)");
    pipeline.check_equal({"t"});
    CHECK(copies(pipeline) == 0);
    pipeline.stop();
}

TEST_CASE("rows before and after the command in its transaction, and a kill right after the copy is recorded") {
    Pipeline pipeline;
    begin(pipeline);
    pipeline.stop_replicator();
    pipeline.start_replicator(tracked, {{"PGSLUICE_FAILPOINT", "after-record"}});
    pipeline.on_source(
        "BEGIN; INSERT INTO t VALUES (50, 1); ALTER TABLE t ADD COLUMN u uuid DEFAULT gen_random_uuid(); "
        "INSERT INTO t VALUES (51, 2); COMMIT");
    Pipeline::must_die(pipeline.replicator());
    pipeline.start_replicator(tracked);
    CHECK(eventually("the rows are equal", [&] { return pipeline.target_rows("t") == pipeline.source_rows("t"); }));
    pipeline.stop();
}

TEST_CASE("a group that copies no rows stops at such a command, and copies the table as the hint says") {
    Pipeline pipeline;
    begin(pipeline);
    pipeline.stop_replicator();
    std::vector<std::string> words = tracked;
    words.front() = "--stream";
    pipeline.start_replicator(words);
    pipeline.await_stream();
    pipeline.on_source("ALTER TABLE t ADD COLUMN n serial");
    CHECK(pipeline.replicator().wait() == 1);
    CHECK(contains(pipeline.replicator().err(), "and this group copies no rows"));
    pipeline.start_replicator(tracked);
    check_copied(pipeline, 1);
    pipeline.stop();
}

TEST_CASE("a table above --ddl-recopy-limit stops the replicator, and a higher one lets it continue") {
    Pipeline pipeline;
    begin(pipeline);
    pipeline.stop_replicator();
    pipeline.on_source("VACUUM ANALYZE t");
    std::vector<std::string> limited = tracked;
    limited.insert(limited.end(), {"--ddl-recopy-limit", "10rows"});
    pipeline.start_replicator(limited);
    pipeline.await_stream();
    pipeline.on_source("ALTER TABLE t ADD COLUMN n serial");
    CHECK(pipeline.replicator().wait() == 1);
    CHECK(contains(pipeline.replicator().err(), "the source computed new values for its rows"));
    CHECK(contains(pipeline.replicator().err(), "--ddl-recopy-limit"));
    limited.back() = "1GiB";
    pipeline.start_replicator(limited);
    check_copied(pipeline, 1);
    pipeline.stop();
}

TEST_CASE("a table that is gone when its command is read") {
    Pipeline pipeline;
    begin(pipeline);
    pipeline.stop_replicator();
    pipeline.on_source("CREATE TYPE mood AS ENUM ('sad', 'ok')");
    pipeline.on_source("ALTER TABLE t ALTER v TYPE mood USING 'ok'");
    pipeline.on_source("INSERT INTO t VALUES (30, 'sad')");
    pipeline.on_source("DROP TABLE t");
    pipeline.start_replicator(tracked);
    pipeline.settle();
    CHECK(pipeline.target_scalar("SELECT to_regclass('t') IS NULL") == "t");
    pipeline.stop();
}

TEST_CASE("a table that is so new that it has not joined yet") {
    Pipeline pipeline;
    begin(pipeline);
    pipeline.on_source(
        "BEGIN; CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE n (id int PRIMARY KEY, v text); INSERT INTO n "
        "VALUES (1, 'a'); ALTER TABLE n ALTER v TYPE mood USING 'ok'; COMMIT");
    CHECK(eventually("its rows have come", [&] {
        return pipeline.target_scalar("SELECT to_regclass('n') IS NOT NULL") == "t" &&
               pipeline.target_rows("n") == std::vector<std::string>{"(1,ok)"};
    }));
    pipeline.check_equal({"t", "n"});
    pipeline.stop();
}

TEST_CASE("a table that has left the group keeps the rows that the target has") {
    Pipeline pipeline;
    pipeline.on_both(
        "CREATE TABLE p (id int PRIMARY KEY, v int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES "
        "FROM (1) TO (10)");
    pipeline.on_source("INSERT INTO p VALUES (1, 1)");
    // The record learns of it long after the command.
    pipeline.start_replicator({"--copy-and-stream", "--track-ddl", "--tables", "p,settled"},
                              {{"PGSLUICE_TABLE_CHECK_MS", "600000"}});
    pipeline.start_worker();
    pipeline.settle();
    pipeline.on_source("ALTER TABLE p DETACH PARTITION p1");
    pipeline.settle();
    pipeline.on_source("ALTER TABLE p1 ALTER v TYPE bigint USING v");
    pipeline.settle();
    CHECK(pipeline.target_rows("p1") == std::vector<std::string>{"(1,1)"});
    pipeline.stop();
}
