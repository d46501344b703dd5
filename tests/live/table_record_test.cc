// Tables that come, go and change places around a running group: every row of every table in the group is delivered, or
// the log says what is not.
#include <doctest/doctest.h>

#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "stream/group/table_record.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using Args = std::vector<std::string>;

constexpr const char* usual_check_ms = "10000";

struct Changing : Pipeline {
    // `check_ms`: how often the replicator looks at the tables.
    explicit Changing(const std::string& schema = {}, const char* check_ms = "1000") {
        ::setenv("PGSLUICE_TABLE_CHECK_MS", check_ms, 1);
        if (!schema.empty()) on_both(schema);
    }

    Changing(const Changing&) = delete;
    ~Changing() { ::unsetenv("PGSLUICE_TABLE_CHECK_MS"); }

    static Args tables(const std::string& names) { return {"--copy-and-stream", "--tables", "settled," + names}; }
    void restart(const Args& arguments) {
        stop_replicator();
        start_replicator(arguments);
    }
    void await_rows(const std::string& table) {
        eventually(
            "the rows of " + table + " arrive", [&] { return source_sum(table) == target_sum(table); },
            std::chrono::seconds(60));
    }
    void await_logged(const std::string& text) {
        eventually(
            "the log says '" + text + "'", [&] { return replicator().err().find(text) != std::string::npos; },
            std::chrono::seconds(60));
    }
    // The tables' contents, once more rows have been written; then the end.
    void finish(const Args& tables) {
        check_equal(tables);
        stop();
    }
    std::map<std::string, TableRecord> record() {
        const auto broker = connect_broker();
        std::map<std::string, TableRecord> found;
        const auto record = find_table_records(*broker, names_for(group()));
        for (const auto& [oid, entry] : record.value()) found[entry.name.schema + '.' + entry.name.table] = entry;
        return found;
    }
    // The record is written after the rows have come, or after what is logged.
    void await_state(const std::string& table, TableState state) {
        CHECK(eventually("the record of " + table + " is right", [&] {
            const auto all = record();
            return all.contains(table) && all.at(table).state == state;
        }));
    }
};

}  // namespace

TEST_CASE("what inherits from a table comes with it, also what is made later") {
    Changing group(
        "CREATE TABLE m (ts timestamptz, v int); CREATE SCHEMA chunks; CREATE TABLE chunks.c1 () INHERITS (m)");
    group.on_source(
        "INSERT INTO chunks.c1 SELECT now(), i FROM generate_series(1, 20) i; INSERT INTO m VALUES (now(), 0)");
    group.start(Changing::tables("m"));
    group.settle();
    CHECK(group.target_scalar("SELECT count(*) FROM chunks.c1") == "20");
    group.on_source("INSERT INTO chunks.c1 VALUES (now(), 21)");
    group.on_target("CREATE TABLE chunks.c2 () INHERITS (m)");
    group.on_source("CREATE TABLE chunks.c2 () INHERITS (m); INSERT INTO chunks.c2 VALUES (now(), 100)");
    group.await_rows("chunks.c2");
    group.on_source("INSERT INTO chunks.c2 VALUES (now(), 101)");
    group.finish({"ONLY m", "chunks.c1", "chunks.c2"});
}

TEST_CASE("partitions are attached and detached") {
    Changing group(
        "CREATE TABLE root (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);"
        "CREATE TABLE p1 PARTITION OF root FOR VALUES FROM (0) TO (100);"
        "CREATE TABLE p2 (id int PRIMARY KEY, v text)");
    group.on_source(
        "INSERT INTO root VALUES (1, 'a'); INSERT INTO p2 SELECT i, 'old' FROM generate_series(100, 109) i");
    group.start(Changing::tables("root"));
    group.settle();
    const std::string attach = "ALTER TABLE root ATTACH PARTITION p2 FOR VALUES FROM (100) TO (200)";
    group.on_target(attach);

    SUBCASE("while the replicator runs") {
        group.on_source(attach);
        SUBCASE("noticed at the interval") {}
        SUBCASE("noticed by a change") { group.on_source("UPDATE p2 SET v = 'new' WHERE id = 105"); }
        group.await_rows("p2");
    }
    SUBCASE("while it is stopped") {
        group.stop_replicator();
        group.on_source(attach + "; UPDATE p2 SET v = 'new' WHERE id = 105; DELETE FROM p2 WHERE id = 100");
        group.start_replicator(Changing::tables("root"));
        group.await_rows("p2");
    }
    SUBCASE("and detached again, written, and attached") {
        group.on_source(attach);
        group.await_rows("p2");
        group.on_source(
            "ALTER TABLE root DETACH PARTITION p2; INSERT INTO p2 VALUES (150, 'alone'); "
            "DELETE FROM p2 WHERE id = 101; " +
            attach);
        group.await_rows("p2");
    }
    SUBCASE("a partition made as one needs no copy") {
        const std::string make = "CREATE TABLE p3 PARTITION OF root FOR VALUES FROM (200) TO (300)";
        group.on_target(make);
        group.on_source(attach + "; " + make + "; INSERT INTO p3 VALUES (200, 'first')");
        group.await_rows("p3");
        group.await_rows("p2");
        group.await_state("public.p3", TableState::born_empty);
        group.await_state("public.p2", TableState::copied);
    }
    SUBCASE("a partition that is filled unlogged and then logged is copied") {
        group.on_target("CREATE TABLE p3 PARTITION OF root FOR VALUES FROM (200) TO (300)");
        group.on_source(attach +
                        "; CREATE UNLOGGED TABLE p3 PARTITION OF root FOR VALUES FROM (200) TO (300); "
                        "INSERT INTO p3 VALUES (200, 'in no log'); ALTER TABLE p3 SET LOGGED");
        group.await_rows("p3");
        group.await_rows("p2");
        group.await_state("public.p3", TableState::copied);
    }
    SUBCASE("one that is detached leaves, and that is said") {
        group.on_source(attach);
        group.await_rows("p2");
        group.on_source("ALTER TABLE root DETACH PARTITION p2; INSERT INTO p2 VALUES (150, 'alone')");
        group.await_logged("table 'public.p2' is no longer replicated: it was detached");
        group.await_state("public.p2", TableState::left);
        CHECK(group.target_scalar("SELECT count(*) FROM p2") == "10");
        group.finish({"p1"});
        return;
    }
    group.on_source("UPDATE root SET v = v || '+'");
    group.finish({"root", "p2"});
}

TEST_CASE("a table is attached while the worker is stopped at a command, and the hint is followed") {
    Changing group(
        "CREATE TABLE root (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);"
        "CREATE TABLE p1 PARTITION OF root FOR VALUES FROM (0) TO (100);"
        "CREATE TABLE p2 (id int PRIMARY KEY, v text)");
    group.on_source(
        "INSERT INTO root VALUES (1, 'a'); INSERT INTO p2 SELECT i, 'old' FROM generate_series(100, 109) i");
    group.always({"--track-ddl", "--ddl-capture", "text"}, {});
    group.start(Changing::tables("root"));
    group.settle();
    group.on_source("DO $$ BEGIN CREATE INDEX i ON root (v); END $$");
    CHECK(group.worker().wait() == 1);
    CHECK(group.worker().err().find("--target-ddl ignore") != std::string::npos);
    group.on_source("ALTER TABLE root ATTACH PARTITION p2 FOR VALUES FROM (100) TO (200)");
    group.on_source("UPDATE root SET v = 'new' WHERE id = 105");
    group.kill_worker();
    // As the hint says: the target by hand, then past the command.
    group.on_target("CREATE INDEX i ON root (v)");
    SUBCASE("the target gets the attach by hand, too") {
        group.on_target("ALTER TABLE root ATTACH PARTITION p2 FOR VALUES FROM (100) TO (200)");
    }
    SUBCASE("the target's stays a table of its own") {}
    group.start_worker({"--target-ddl", "ignore"});
    group.await_rows("p2");
    group.settle();
    group.stop_worker();
    group.start_worker();
    group.on_source("UPDATE root SET v = v || '+'");
    group.finish({"p1", "p2"});
}

TEST_CASE("a partition is made, dropped and made again before the replicator looks") {
    Changing group(
        "CREATE TABLE root (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);"
        "CREATE TABLE p1 PARTITION OF root FOR VALUES FROM (0) TO (100)",
        usual_check_ms);
    group.on_target("CREATE TABLE p2 (id int PRIMARY KEY, v text)");
    group.start(Changing::tables("root"));
    group.settle();
    group.stop_replicator();
    const std::string make = "CREATE TABLE p2 PARTITION OF root FOR VALUES FROM (100) TO (200)";
    group.on_source(make);
    group.on_source("INSERT INTO root VALUES (100, 'first'), (101, 'first')");
    group.on_source("DROP TABLE p2");
    SUBCASE("at once") {}
    SUBCASE("after the rows of the first have come") {
        group.start_replicator(Changing::tables("root"));
        group.settle();
        CHECK(group.target_scalar("SELECT count(*) FROM p2") == "2");
    }
    group.on_source(make);
    group.on_source("INSERT INTO root VALUES (100, 'second')");
    if (!group.has_replicator()) group.start_replicator(Changing::tables("root"));
    group.await_rows("p2");
    group.finish({"p1", "p2"});
}

TEST_CASE("partitions that are delivered as their root") {
    Changing group(
        "CREATE TABLE root (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);"
        "CREATE TABLE p1 PARTITION OF root FOR VALUES FROM (0) TO (100);"
        "CREATE TABLE p2 (id int PRIMARY KEY, v text)");
    group.on_target("DROP TABLE root, p2; CREATE TABLE root (id int PRIMARY KEY, v text)");
    group.on_source(
        "INSERT INTO root VALUES (1, 'a'); INSERT INTO p2 SELECT i, 'old' FROM generate_series(100, 109) i");
    group.always({"--publish-via-partition-root"}, {});
    group.start(Changing::tables("root"));
    group.settle();
    group.on_source(
        "ALTER TABLE root ATTACH PARTITION p2 FOR VALUES FROM (100) TO (200); "
        "UPDATE root SET v = 'new' WHERE id = 105");
    group.await_rows("root");
    group.on_source(
        "CREATE TABLE p3 PARTITION OF root FOR VALUES FROM (200) TO (300); INSERT INTO root VALUES (200, 'c')");
    group.finish({"root"});
}

TEST_CASE("a table that the publication's owner added by hand is copied once it is named") {
    Changing group("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, v text)");
    group.on_source("INSERT INTO b SELECT i, 'old' FROM generate_series(1, 10) i");
    group.start(Changing::tables("a"));
    group.settle();
    const std::string add = "ALTER PUBLICATION pgsluice_" + group.group() + " ADD TABLE b";
    SUBCASE("while the replicator is stopped") {
        group.stop_replicator();
        group.on_source(add + "; UPDATE b SET v = 'new' WHERE id = 3");
        group.start_replicator(Changing::tables("a,b"));
    }
    SUBCASE("while it runs: its changes are left out until then, and that is said") {
        group.on_source(add + "; UPDATE b SET v = 'new' WHERE id = 3");
        group.await_logged("table 'public.b' is in publication");
        group.settle();
        CHECK(group.target_scalar("SELECT count(*) FROM b") == "0");
        group.restart(Changing::tables("a,b"));
    }
    group.await_rows("b");
    group.on_source("UPDATE b SET v = 'newer' WHERE id < 5");
    group.finish({"a", "b"});
}

TEST_CASE("a table that was taken out of the publication and put back by hand is copied again") {
    Changing group("CREATE TABLE a (id int PRIMARY KEY)");
    group.start(Changing::tables("a"));
    group.settle();
    const std::string publication = "ALTER PUBLICATION pgsluice_" + group.group();
    group.on_source(publication + " DROP TABLE a; INSERT INTO a VALUES (1); " + publication + " ADD TABLE ONLY a");
    group.await_rows("a");
    group.await_logged("table 'public.a' is copied again");
    group.finish({"a"});
}

// Its INSERT is in the log and was captured, the TRUNCATE was not.
TEST_CASE("changes before a table was seen to be empty are left out") {
    Changing group("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, v text)", usual_check_ms);
    group.start(Changing::tables("a"));
    group.settle();
    group.stop_replicator();
    const std::string publication = "ALTER PUBLICATION pgsluice_" + group.group();
    group.on_source(publication + " ADD TABLE ONLY b");
    group.on_source("INSERT INTO b VALUES (1, 'gone')");
    group.on_source(publication + " DROP TABLE b; TRUNCATE b");
    group.on_source(publication + " ADD TABLE ONLY b");
    group.start_replicator(Changing::tables("a,b"));
    group.await_logged("table 'public.b' is new in the group; it held no rows yet");
    group.on_source("INSERT INTO b VALUES (2, 'there')");
    group.await_rows("b");
    group.finish({"a", "b"});
}

TEST_CASE("a publication that did not publish all kinds of changes for a while is noticed") {
    Changing group("CREATE TABLE a (id int PRIMARY KEY, v text)", usual_check_ms);
    group.on_source("INSERT INTO a VALUES (1, 'old')");
    group.start(Changing::tables("a"));
    group.settle();
    const std::string publication = "ALTER PUBLICATION pgsluice_" + group.group();
    const auto alter = [&] {
        group.on_source(publication + " SET (publish = 'insert')");
        group.on_source("UPDATE a SET v = 'missed'");
        group.on_source(publication + " SET (publish = 'insert, update, delete, truncate')");
    };
    SUBCASE("while the replicator runs") { alter(); }
    SUBCASE("while it is stopped") {
        group.stop_replicator();
        alter();
        group.start_replicator(Changing::tables("a"));
    }
    group.await_logged("was altered by hand, or made again: changes that it did not publish meanwhile are missing");
    group.settle();
    CHECK(group.target_rows("a") == std::vector<std::string>{"(1,old)"});
    // As the hint says, for the table that it is about.
    CHECK(run({PGSLUICE_BINARY, "resnapshot", "--group", group.group(), "--nats-url", shared_nats().url(), "--tables",
               "a"})
              .code == 0);
    group.await_rows("a");
    group.finish({"a"});
}

TEST_CASE("a partition that was unlogged for a while, between two looks, is copied again with captured DDL") {
    Changing group({}, usual_check_ms);
    group.on_both(
        "CREATE TABLE root (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
        "CREATE TABLE p1 PARTITION OF root FOR VALUES FROM (0) TO (100);"
        "CREATE TABLE p2 PARTITION OF root FOR VALUES FROM (100) TO (200)");
    group.on_source("INSERT INTO root VALUES (1, 'a'), (100, 'b')");
    Args arguments = Changing::tables("root");
    arguments.emplace_back("--track-ddl");
    group.start(arguments);
    group.settle();
    SUBCASE("in one transaction") {
        group.on_source(
            "ALTER TABLE p1 SET UNLOGGED; INSERT INTO p1 VALUES (2, 'in no log'); ALTER TABLE p1 SET LOGGED");
    }
    SUBCASE("in several") {
        group.on_source("ALTER TABLE p1 SET UNLOGGED");
        group.on_source("INSERT INTO p1 VALUES (2, 'in no log'); DELETE FROM p1 WHERE id = 1");
        group.on_source("ALTER TABLE p1 SET LOGGED");
    }
    group.on_source("INSERT INTO root VALUES (3, 'later'), (101, 'later')");
    group.settle();
    group.await_rows("p1");
    group.finish({"p1", "p2"});
}

TEST_CASE("a publication that is made to publish generated columns is put right") {
    Changing group("CREATE TABLE a (id int PRIMARY KEY, v text)", usual_check_ms);
    if (shared_postgres().version() < 180000) return;
    group.on_source("ALTER TABLE a ADD g text GENERATED ALWAYS AS (upper(v)) STORED; INSERT INTO a VALUES (1, 'a')");
    group.on_target("ALTER TABLE a ADD g text");
    group.start(Changing::tables("a"));
    group.settle();
    const std::string publication = "ALTER PUBLICATION pgsluice_" + group.group();
    std::string altered = publication + " SET (publish_generated_columns = stored)";
    SUBCASE("while the replicator runs") { group.on_source(altered); }
    SUBCASE("while it is stopped") {
        group.stop_replicator();
        group.on_source(altered);
        group.start_replicator(Changing::tables("a"));
    }
    group.await_logged("was altered by hand and published generated columns, which copies do not have");
    group.settle();
    group.on_source("INSERT INTO a VALUES (2, 'b')");
    group.settle();
    CHECK(group.target_rows("a") == std::vector<std::string>{"(1,a,)", "(2,b,)"});
    CHECK(group.source_scalar("SELECT to_jsonb(p) ->> 'pubgencols' FROM pg_publication p") == "n");
    group.stop();
}

TEST_CASE("another table takes the place of one that is named") {
    Changing group("CREATE TABLE t (id int PRIMARY KEY, v text)");
    group.on_source("INSERT INTO t SELECT i, 'first' FROM generate_series(1, 10) i");
    group.start(Changing::tables("t"));
    group.settle();
    SUBCASE("dropped and made again") {
        group.on_source(
            "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'second')");
    }
    SUBCASE("swapped by renaming") {
        group.on_source(
            "CREATE TABLE u (id int PRIMARY KEY, v text); INSERT INTO u VALUES (2, 'other');"
            "BEGIN; ALTER TABLE t RENAME TO x; ALTER TABLE u RENAME TO t; ALTER TABLE x RENAME TO u; COMMIT;"
            "INSERT INTO u VALUES (50, 'not ours')");
    }
    SUBCASE("while the replicator is stopped") {
        group.stop_replicator();
        group.on_source(
            "INSERT INTO t VALUES (11, 'late'); DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text);"
            "INSERT INTO t VALUES (1, 'second')");
        group.start_replicator(Changing::tables("t"));
    }
    group.await_rows("t");
    group.on_source("UPDATE t SET v = v || '+'; INSERT INTO t VALUES (99, 'more')");
    group.finish({"t"});
}

TEST_CASE("two tables of a group are swapped by renaming") {
    Changing group("CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, v text)");
    group.on_source("INSERT INTO a VALUES (1, 'a'), (2, 'a'); INSERT INTO b VALUES (1, 'b')");
    group.start();
    group.settle();
    group.on_source(
        "BEGIN; ALTER TABLE a RENAME TO x; ALTER TABLE b RENAME TO a; ALTER TABLE x RENAME TO b; COMMIT;"
        "UPDATE a SET v = 'changed'");
    group.await_rows("a");
    group.await_rows("b");
    group.finish({"a", "b"});
}

// The catalog shows nothing of it: only the log has the names of the time in between.
TEST_CASE("two tables of a group are swapped by renaming, and back before anyone looks") {
    Changing group("CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, v text)",
                   usual_check_ms);
    group.on_source("INSERT INTO a VALUES (1, 'a'), (2, 'a'); INSERT INTO b VALUES (1, 'b')");
    group.start();
    group.settle();
    group.stop_replicator();
    const std::string swap =
        "BEGIN; ALTER TABLE a RENAME TO x; ALTER TABLE b RENAME TO a; ALTER TABLE x RENAME TO b; COMMIT;";
    std::set<std::string> again;
    SUBCASE("both have changes meanwhile") {
        group.on_source(swap +
                        "UPDATE a SET v = 'changed'; INSERT INTO b VALUES (3, 'more'); DELETE FROM b WHERE id = 2");
        again = {"a", "b"};
    }
    SUBCASE("one has") {
        group.on_source(swap + "DELETE FROM b WHERE id = 1");
        again = {"a"};
    }
    SUBCASE("none has") { group.on_source(swap); }
    group.on_source(swap + "INSERT INTO a VALUES (9, 'last'); INSERT INTO b VALUES (9, 'last')");
    group.start_replicator();
    group.await_rows("a");
    group.await_rows("b");
    for (const std::string table : {"a", "b"})
        CHECK((group.replicator().err().find("table 'public." + table + "' is copied again: ") != std::string::npos) ==
              again.contains(table));
    group.finish({"a", "b"});
}

TEST_CASE("tables made in a schema that is replicated as a whole") {
    Changing group;
    group.start();
    group.settle();
    SUBCASE("one with a key joins") {
        group.on_both("CREATE TABLE k (id int PRIMARY KEY)");
        group.on_source("INSERT INTO k VALUES (1)");
        group.await_rows("k");
    }
    SUBCASE("one without a key is said, and joins when it gets one") {
        group.on_target("CREATE TABLE k (id int PRIMARY KEY)");
        SUBCASE("CREATE TABLE") { group.on_source("CREATE TABLE k (id int); INSERT INTO k VALUES (1)"); }
        SUBCASE("CREATE TABLE AS") { group.on_source("CREATE TABLE k AS SELECT 1 AS id"); }
        SUBCASE("SELECT INTO") { group.on_source("SELECT 1 AS id INTO k"); }
        group.await_logged("table 'public.k' is not replicated: it has no replica identity");
        group.settle();
        CHECK(group.target_scalar("SELECT count(*) FROM k") == "0");
        group.on_source("ALTER TABLE k ADD PRIMARY KEY (id)");
        group.await_rows("k");
    }
    group.on_source("INSERT INTO k VALUES (2); UPDATE k SET id = 3 WHERE id = 1");
    group.finish({"k"});
}

TEST_CASE("a table without a key that a running group leaves out stays out when the group is copied again") {
    Changing group("CREATE TABLE first (id int)");  // published from the first start on, as the page says
    group.start();
    group.settle();
    group.on_both("CREATE TABLE k (id int)");
    group.on_both("CREATE TABLE p (id int) PARTITION BY LIST (id)");
    group.on_source("INSERT INTO k VALUES (1)");
    group.await_logged("table 'public.k' is not replicated: it has no replica identity");
    group.stop();
    group.start_replicator({"--copy-and-stream", "--resnapshot"});
    group.start_worker({"--target-existing-rows", "truncate"});
    group.settle();
    CHECK(group.source_scalar("SELECT string_agg(prrelid::regclass::text, ',' ORDER BY prrelid::regclass::text) FROM "
                              "pg_publication_rel") == "first,settled");
    group.await_logged("table 'public.k' is not replicated: it has no replica identity");
    group.on_source("UPDATE k SET id = 2");
    SUBCASE("until it is named") {
        group.restart({"--copy-and-stream", "--resnapshot", "--tables", "settled,first,k"});
        group.await_rows("k");
    }
    SUBCASE("until it has one") {
        group.on_both("ALTER TABLE k ADD PRIMARY KEY (id)");
        group.await_rows("k");
    }
    group.on_source("INSERT INTO first VALUES (1)");
    group.finish({"first", "k"});
}

TEST_CASE("a group that has no record is taken over, and that is said") {
    Changing group("CREATE TABLE a (id int PRIMARY KEY)");
    group.on_source("INSERT INTO a VALUES (1)");
    group.start(Changing::tables("a"));
    group.settle();
    group.stop_replicator();
    const auto broker = connect_broker();
    const Names names = names_for(group.group());
    for (const std::string& key : broker->kv_keys(names))
        if (key.starts_with("record")) broker->kv_delete(names, key);
    group.on_source("INSERT INTO a VALUES (2)");
    group.start_replicator(Changing::tables("a"));
    group.await_logged("the group has no record of its tables");
    group.settle();
    group.await_state("public.a", TableState::assumed);
    group.finish({"a"});
}
