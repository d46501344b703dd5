// The copy itself: what is in the messages, for every kind of table.
#include <doctest/doctest.h>

#include <set>

#include "tests/live/snapshot_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

std::vector<std::string> names_of(const SnapshotBegin& begin) {
    std::vector<std::string> names;
    for (const auto& relation : begin.tables) names.push_back(relation.schema + '.' + relation.table);
    return names;
}

std::vector<std::string> columns_of(const Relation& relation) {
    std::vector<std::string> names;
    for (const auto& column : relation.columns) names.push_back(column.name);
    return names;
}

}  // namespace

TEST_CASE("many ranges on several connections are the whole table, each row once") {
    SnapshotSource source(
        "CREATE TABLE t (a int, b text); INSERT INTO t SELECT i, repeat('x', 50) FROM generate_series(1, 40000) i");
    source.options.copy_range_bytes = 256 * 1024;
    source.options.block_bytes = 16 * 1024;
    const Lsn point = source.copy();
    CHECK(source.rows("t") == source.rows_now("SELECT * FROM public.t"));

    const auto& messages = source.publisher.messages;
    CHECK(messages.front().meta.kind == MessageKind::snapshot_begin);
    CHECK(messages.back().meta.kind == MessageKind::snapshot_end);
    CHECK(decode_snapshot_end(messages.back().body).rows == 40000);
    std::uint64_t next_row = 1;
    std::set<std::uint64_t> ranges;
    for (const auto& message : messages) {
        CHECK(message.meta.position == Position{point, 0});
        CHECK(message.meta.safe_flush_lsn == point);
        if (message.meta.kind != MessageKind::copy) continue;
        CHECK(message.body.size() <= source.options.block_bytes);
        CHECK(message.copy.first_row == next_row);
        next_row += message.copy.rows;
        ranges.insert(message.copy.first_page);
    }
    CHECK(next_row == 40001);
    CHECK(ranges.size() > 5);
    CHECK(source.slots() == 1);
    CHECK(source.begin().consistent_point == point);
}

TEST_CASE("values travel exactly as PostgreSQL writes them") {
    SnapshotSource source(
        "CREATE TABLE t (a text, b text, c bytea, d money, e regclass, f timestamptz);"
        "INSERT INTO t VALUES (NULL, '', '\\x00ff', 1.5, 'pg_class', '2026-01-31 12:00+03'),"
        "  (E'\\\\.', E'\\\\N', NULL, NULL, 't', NULL), (E'tab\\there', E'line\\nbreak\\r', '', -2, NULL, 'infinity')");
    source.copy();
    CHECK(source.rows("t") == source.rows_now("SELECT * FROM public.t"));
    CHECK(source.rows("t").at(0).find("\\N\t\t\\\\x00ff\t$1.50\tpg_class\t2026-01-31 09:00:00+00") == 0);
    CHECK(source.rows("t").at(1).find("public.t") != std::string::npos);
}

TEST_CASE("tables of odd shapes: never analysed, empty, without columns, dropped and generated columns, quoted names") {
    SnapshotSource source(
        "CREATE TABLE empty (a int); CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing "
        "DEFAULT VALUES;"
        "CREATE TABLE \"Or\"\"der\" (a int, \"B c\" int, d int, g int GENERATED ALWAYS AS (a * 2) STORED, \"ü\" text);"
        "ALTER TABLE \"Or\"\"der\" DROP COLUMN d; INSERT INTO \"Or\"\"der\" (a, \"B c\", \"ü\") VALUES (1, 2, 'ö'), "
        "(3, NULL, '')");
    source.copy();
    CHECK(names_of(source.begin()) == std::vector<std::string>{"public.Or\"der", "public.empty", "public.nothing"});
    CHECK(columns_of(source.begin().tables[0]) == std::vector<std::string>{"a", "B c", "ü"});
    CHECK(source.rows("Or\"der") == std::vector<std::string>{"1\t2\tö", "3\t\\N\t"});
    CHECK(source.rows("empty").empty());
    CHECK(source.rows("nothing") == std::vector<std::string>{"", ""});
    CHECK(decode_snapshot_end(source.publisher.messages.back().body).rows == 4);
}

TEST_CASE("partitions are copied under their own names, or all under the root's") {
    const std::string tables =
        "CREATE TABLE p (a int PRIMARY KEY, b text) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES "
        "FROM (0) TO (10);"
        "CREATE TABLE p2 (b text, x int, a int NOT NULL); ALTER TABLE p2 DROP COLUMN x; ALTER TABLE p ATTACH PARTITION "
        "p2 FOR VALUES FROM (10) TO (20);"
        "INSERT INTO p SELECT i, 'v' || i FROM generate_series(1, 19) i";
    SnapshotSource leaves(tables);
    leaves.copy();
    CHECK(names_of(leaves.begin()) == std::vector<std::string>{"public.p1", "public.p2"});
    CHECK(leaves.rows("p1") == leaves.rows_now("SELECT a, b FROM public.p1"));
    CHECK(leaves.rows("p2") == leaves.rows_now("SELECT b, a FROM public.p2"));

    SnapshotSource root(tables);
    root.options.publish_via_partition_root = true;
    root.copy();
    CHECK(names_of(root.begin()) == std::vector<std::string>{"public.p"});
    CHECK(root.rows("p") == root.rows_now("SELECT a, b FROM public.p"));
}

TEST_CASE("what inherits from a table is a table of its own") {
    SnapshotSource source(
        "CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent); INSERT INTO parent VALUES (1); INSERT "
        "INTO child VALUES (2)");
    source.copy();
    CHECK(source.rows("parent") == std::vector<std::string>{"1"});
    CHECK(source.rows("child") == std::vector<std::string>{"2"});
}

TEST_CASE("a row much larger than a block goes alone and whole") {
    SnapshotSource source(
        "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 's'), (2, repeat('y', 20000000)), (3, 's')");
    source.options.max_copy_workers = 1;
    source.copy();
    CHECK(source.rows("t") == source.rows_now("SELECT * FROM public.t"));
    CHECK(source.publisher.messages.size() == 5);
}

TEST_CASE("1600 columns and 300 tables") {
    std::string columns;
    for (int i = 1; i <= 1600; ++i) columns += (i > 1 ? ", c" : "c") + std::to_string(i) + " int";
    SnapshotSource source("CREATE TABLE wide (" + columns +
                          "); INSERT INTO wide (c2, c1600) VALUES (7, 8);"
                          "DO $$ BEGIN FOR i IN 1..300 LOOP EXECUTE format('CREATE TABLE t%s AS SELECT %s AS a', i, "
                          "i); END LOOP; END $$");
    source.copy();
    CHECK(source.begin().tables.size() == 301);
    CHECK(source.rows("wide") == source.rows_now("SELECT * FROM public.wide"));
    CHECK(source.rows("t77") == std::vector<std::string>{"77"});
}

TEST_CASE("timeouts set low at the source do not reach the copy") {
    SnapshotSource source("CREATE TABLE t AS SELECT i FROM generate_series(1, 200000) i");
    for (const char* timeout : {"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"}) {
        shared_postgres().sql("postgres", "ALTER DATABASE " + source.name + " SET " + timeout + " = '200ms'");
    }
    source.options.block_bytes = 1024;
    bool held = false;
    source.publisher.before_each = [&](const MessageMeta& meta) {
        if (meta.kind != MessageKind::copy || held) return;
        held = true;
        shared_postgres().sql("postgres", "SELECT pg_sleep(1)");  // one reader is in its COPY, the others idle
    };
    source.copy();
    CHECK(held);
    CHECK(source.rows("t").size() == 200000);
}

TEST_CASE("mode copy leaves no slot and no publication") {
    SnapshotSource source("CREATE TABLE t AS SELECT 1 AS a");
    source.options.mode = ReplicatorMode::copy;
    source.copy();
    CHECK(source.rows("t").size() == 1);
    CHECK(source.slots() == 0);
    CHECK(source.scalar("SELECT count(*) FROM pg_publication") == "0");
}
