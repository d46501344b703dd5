// Tables of every shape through the initial copy, from the source into the target.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/slow.h"

using namespace pgsluice::test;

namespace {

std::string columns(int count, const std::string& type) {
    std::string list;
    for (int i = 1; i <= count; ++i) list += (i > 1 ? ", c" : "c") + std::to_string(i) + " " + type;
    return list;
}

// Two values of 100 MB, one by copy and one by stream. EXTERNAL: neither side is to spend its time compressing them.
void carry_huge_values(NatsServer& nats) {
    Pipeline pipeline({shared_postgres(), shared_postgres(), nats});
    pipeline.on_both("CREATE TABLE huge (id int PRIMARY KEY, v text); ALTER TABLE huge ALTER v SET STORAGE EXTERNAL");
    pipeline.on_source("INSERT INTO huge VALUES (1, 'small'), (2, repeat('0123456789', 10485760)), (3, 'small')");
    pipeline.start();
    pipeline.settle(std::chrono::seconds(100));
    CHECK(pipeline.source_sum("huge") == pipeline.target_sum("huge"));
    pipeline.on_source("INSERT INTO huge VALUES (4, repeat('9876543210', 10485760))");
    pipeline.settle(std::chrono::seconds(100));
    CHECK(pipeline.source_sum("huge") == pipeline.target_sum("huge"));
    CHECK(pipeline.target_scalar("SELECT max(length(v)) FROM huge") == "104857600");
    pipeline.stop();
}

}  // namespace

TEST_CASE("values that look like COPY's own marks, and rows that begin with NULL") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE marks (a text, b text, c bytea); CREATE TABLE one (a text)");
    pipeline.on_source(
        "INSERT INTO marks VALUES (NULL, NULL, NULL), (NULL, 'x', ''), (E'\\\\.', E'\\\\N', E'\\\\\\\\'), ('', '\\', "
        "'\\x5c2e0a'), (E'a\\tb', E'line\\nend\\r\\n', NULL), (E'\\\\n', E'\\\\t', NULL), ('.', 'N', NULL), "
        "(E'\\\\.\\n', E'\\n\\\\.', NULL), (E'\\b\\f\\v\\x7f', 'ü€😀', NULL);"
        "INSERT INTO one SELECT a FROM marks");
    pipeline.start();
    pipeline.check_equal({"marks", "one"});
    CHECK(pipeline.target_scalar("SELECT count(*) FROM one WHERE a IS NULL") == "2");
    CHECK(pipeline.target_scalar("SELECT count(*) FROM one WHERE a = E'\\\\.'") == "1");
    pipeline.stop();
}

TEST_CASE("a table just loaded that was never analysed, an empty one, and one that is nearly all bloat") {
    Pipeline pipeline;
    pipeline.on_both(
        "CREATE TABLE fresh (id int, pad text); CREATE TABLE empty (id int PRIMARY KEY); CREATE TABLE bloated (id int "
        "PRIMARY KEY, pad text); CREATE TABLE hollow (id int)");
    for (const char* table : {"fresh", "bloated"})
        pipeline.on_source("ALTER TABLE " + std::string(table) + " SET (autovacuum_enabled = off)");
    // The rows that are left lie in every page, in the last ones only, and nowhere.
    pipeline.on_source(
        "INSERT INTO bloated SELECT i, repeat('x', 100) FROM generate_series(1, 100000) i; DELETE FROM bloated WHERE "
        "id "
        "% 10 <> 0; UPDATE bloated SET pad = 'moved' WHERE id % 100 = 0; INSERT INTO hollow SELECT generate_series(1, "
        "50000); DELETE FROM hollow; INSERT INTO hollow VALUES (7)");
    pipeline.on_source("INSERT INTO fresh SELECT i, repeat('x', 100) FROM generate_series(1, 50000) i");
    CHECK(pipeline.source_scalar("SELECT reltuples FROM pg_class WHERE relname = 'fresh'") == "-1");
    pipeline.start();
    pipeline.check_equal({"fresh", "empty", "bloated", "hollow"});
    CHECK(pipeline.target_scalar("SELECT count(*) FROM bloated") == "10000");
    pipeline.stop();
}

TEST_CASE("tables without columns: rows are counted, that is all there is to them") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE nothing (); CREATE TABLE dropped (a int); ALTER TABLE dropped DROP a");
    for (int i = 0; i < 3; ++i)
        pipeline.on_source("INSERT INTO nothing DEFAULT VALUES; INSERT INTO dropped DEFAULT VALUES");
    pipeline.start();
    pipeline.settle();
    CHECK(pipeline.target_scalar("SELECT count(*) FROM nothing") == "3");
    for (int i = 0; i < 5; ++i) pipeline.on_source("INSERT INTO nothing DEFAULT VALUES");
    pipeline.on_source("INSERT INTO nothing SELECT FROM generate_series(1, 2500); TRUNCATE dropped");
    pipeline.settle();
    CHECK(pipeline.target_scalar("SELECT count(*) FROM nothing") == "2508");
    CHECK(pipeline.target_scalar("SELECT count(*) FROM dropped") == "0");
    pipeline.stop();
}

TEST_CASE("a thousand tables and a row of 1600 columns" * slow) {
    Pipeline pipeline;
    pipeline.on_both(
        "DO $$ BEGIN FOR i IN 1..1000 LOOP EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, v text)', i); END "
        "LOOP; END $$");
    pipeline.on_both("CREATE TABLE wide (" + columns(1600, "int") + ")");
    pipeline.on_source(
        "DO $$ BEGIN FOR i IN 1..1000 LOOP EXECUTE format('INSERT INTO t%s SELECT %s + g, g FROM generate_series(1, "
        "3) g', i, i); END LOOP; END $$");
    pipeline.on_source("INSERT INTO wide (c2, c1600) VALUES (7, 8)");
    pipeline.start();
    pipeline.settle();
    const std::string sums =
        "SELECT count(*) || ' ' || md5(string_agg(x, ' ' ORDER BY i)) FROM (SELECT i, query_to_xml(format('SELECT * "
        "FROM "
        "t%s ORDER BY id', i), true, true, '')::text AS x FROM generate_series(1, 1000) i) q";
    CHECK(pipeline.source_scalar(sums) == pipeline.target_scalar(sums));
    pipeline.on_source("INSERT INTO wide (c1, c1599) VALUES (1, 2); UPDATE t1000 SET v = 'changed'");
    pipeline.check_equal({"wide", "t1000"});
    pipeline.stop();
}

// Not in the suite, for its time: tests/crash/run --large. A value of 20 MB is in
// end_to_end_limits_test.cc.
TEST_CASE("values of 100 MB with nats-server's default max_payload of 1 MB" * doctest::skip()) {
    carry_huge_values(shared_nats());
}

TEST_CASE("values of 100 MB with a max_payload of 64 KB" * doctest::skip()) {
    NatsServer nats({.extra_config = "max_payload: 65536"});
    carry_huge_values(nats);
}
