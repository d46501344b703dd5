// How rows are found: keys, no keys, REPLICA IDENTITY FULL, identity columns, generated columns, missing columns.
#include <doctest/doctest.h>

#include "tests/live/postgres_sink_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;

TEST_CASE("of several identical rows exactly one is updated or deleted") {
    PostgresTarget target;
    target.sql("CREATE TABLE log (a int, j json, f float8)");
    target.open();
    const auto table = make_relation("public", "log", {"a integer", "j json", "f float8"}, ReplicaIdentity::full);
    const Values row{text("1"), text("{\"x\": 1}"), null_value};
    SinkFeed feed;
    feed.insert(table, row).insert(table, row).insert(table, row).insert(table, row);
    feed.remove(table, OldRow::full, row);
    feed.update(table, OldRow::full, row, {text("2"), text("{\"x\":1}"), text("-0")});
    target.sink->apply(feed.complete());
    CHECK(target.rows("SELECT a, j, f FROM log ORDER BY a") ==
          Lines{"1|{\"x\": 1}|", "1|{\"x\": 1}|", "2|{\"x\":1}|-0"});
    // 0 is not the row with -0.
    feed.remove(table, OldRow::full, {text("2"), text("{\"x\":1}"), text("0")});
    target.sink->apply(feed.complete());
    CHECK(target.scalar("SELECT count(*) FROM log") == "3");
    feed.remove(table, OldRow::full, {text("2"), text("{\"x\":1}"), text("-0")});
    target.sink->apply(feed.complete());
    CHECK(target.scalar("SELECT count(*) FROM log") == "2");
}

TEST_CASE("identical rows in partitions of the target") {
    PostgresTarget target;
    target.sql(
        "CREATE TABLE p (a int, b bpchar(4)) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN "
        "(1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2)");
    target.open();
    const auto table = make_relation("public", "p", {"a integer", "b character"}, ReplicaIdentity::full);
    SinkFeed feed;
    for (int i = 0; i < 3; ++i) {
        feed.insert(table, {text("1"), text("x   ")}).insert(table, {text("2"), text("x   ")});
    }
    feed.update(table, OldRow::full, {text("1"), text("x   ")}, {text("2"), text("x   ")});
    feed.remove(table, OldRow::full, {text("1"), text("x   ")});
    target.sink->apply(feed.complete());
    CHECK(target.rows("SELECT a, count(*) FROM p GROUP BY a ORDER BY a") == Lines{"1|1", "2|4"});
}

TEST_CASE("a key the target knows nothing of") {
    PostgresTarget target;
    target.sql("CREATE TABLE loose (id int, v text)");
    target.open();
    const auto table = make_relation("public", "loose", {"id integer*", "v text"});
    SinkFeed feed;
    feed.insert(table, {text("1"), text("a")}).insert(table, {text("2"), text("b")});
    feed.update(table, {text("1"), text("c")}).remove(table, OldRow::key, {text("2"), null_value});
    target.sink->apply(feed.complete());
    CHECK(target.rows("SELECT id, v FROM loose") == Lines{"1|c"});
}

TEST_CASE("keys swap, chain and are used again within a transaction") {
    PostgresTarget target;
    target.sql("CREATE TABLE k (id int PRIMARY KEY, u int UNIQUE)");
    target.open();
    const auto table = make_relation("public", "k", {"id integer*", "u integer"});
    const auto move = [&](SinkFeed& feed, const char* from, const char* to, const char* u) {
        feed.update(table, OldRow::key, {text(from), null_value}, {text(to), text(u)});
    };
    SinkFeed feed;
    feed.insert(table, {text("1"), text("10")}).insert(table, {text("2"), text("20")});
    target.sink->apply(feed.complete());
    move(feed, "1", "-1", "10");  // ids swapped
    move(feed, "2", "1", "20");
    move(feed, "-1", "2", "10");
    feed.update(table, {text("1"), text("-1")});  // unique values swapped
    feed.update(table, {text("2"), text("20")});
    feed.update(table, {text("1"), text("10")});
    move(feed, "2", "3", "20");  // a chain
    move(feed, "1", "2", "10");
    feed.remove(table, OldRow::key, {text("2"), null_value});  // used again
    feed.insert(table, {text("2"), text("11")});
    target.sink->apply(feed.complete());
    CHECK(target.rows("SELECT id, u FROM k ORDER BY id") == Lines{"2|11", "3|20"});
}

TEST_CASE("identity columns that are generated always") {
    PostgresTarget target;
    target.sql(
        "CREATE TABLE i (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text, own text DEFAULT 'mine'); "
        "CREATE TABLE n (id int PRIMARY KEY, s int GENERATED ALWAYS AS IDENTITY, v text)");
    target.open();
    const auto table = make_relation("public", "i", {"id integer*", "v text"});
    SinkFeed feed;
    feed.insert(table, {text("7"), text("a")}).update(table, {text("7"), text("b")});
    target.sink->apply(feed.complete());
    target.sql("UPDATE i SET own = 'kept'");
    feed.update(table, OldRow::key, {text("7"), null_value}, {text("8"), unchanged_value});
    target.sink->apply(feed.complete());
    CHECK(target.rows("SELECT id, v, own FROM i") == Lines{"8|b|kept"});

    const auto second = make_relation("public", "n", {"id integer*", "s integer", "v text"});
    feed.insert(second, {text("1"), text("5"), text("a")});
    feed.update(second, {text("1"), text("5"), text("b")});
    feed.update(second, {text("1"), text("6"), text("c")});
    target.sink->apply(feed.complete());
    CHECK(target.rows("SELECT id, s, v FROM n") == Lines{"1|6|c"});
}

TEST_CASE("generated columns, other orders, extra columns and wider types of the target") {
    PostgresTarget target;
    target.sql(
        "CREATE TABLE w (extra text DEFAULT 'x', b text, id bigint PRIMARY KEY, g int GENERATED ALWAYS AS (id * 2) "
        "STORED)");
    target.open();
    const auto table = make_relation("public", "w", {"id integer*", "g integer", "b text"});
    SinkFeed feed;
    feed.insert(table, {text("4"), text("99"), text("a")}).update(table, {text("4"), text("99"), text("b")});
    target.sink->apply(feed.complete());
    CHECK(target.rows("SELECT id, g, b, extra FROM w") == Lines{"4|8|b|x"});
}

TEST_CASE("a missing table or column stops, naming it and the way out") {
    PostgresTarget target;
    target.sql("CREATE TABLE t (id int PRIMARY KEY)");
    target.open();
    SinkFeed feed;
    try {
        target.sink->apply(feed.insert(make_relation("public", "nope", {"id integer*"}), {text("1")}).complete());
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.action() == Action::stop);
        CHECK(std::string(error.what()) == "unable to write to 'public.nope': the target has no such table");
        CHECK(error.hint().find("--target-sync-schema") != std::string::npos);
    }
    target.open();
    try {
        const auto table = make_relation("public", "t", {"id integer*", "Extra text"});
        target.sink->apply(feed.insert(table, {text("1"), text("2")}).complete());
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(std::string(error.what()) == "unable to write to 'public.t': the target's table has no column 'Extra'");
        CHECK(error.hint().find("ADD COLUMN \"Extra\" text") != std::string::npos);
    }
}

TEST_CASE("a table without columns") {
    PostgresTarget target;
    target.sql("CREATE TABLE z ()");
    target.open();
    const auto table = make_relation("public", "z", {});
    SinkFeed feed;
    target.sink->apply(feed.insert(table, {}).insert(table, {}).complete());
    CHECK(target.scalar("SELECT count(*) FROM z") == "2");
}

TEST_CASE("rows that are not as in the source") {
    PostgresTarget target;
    target.sql("CREATE TABLE t (id int PRIMARY KEY, a text, b text)");
    const auto table = make_relation("public", "t", {"id integer*", "a text", "b text"});
    const auto reset = [&] { target.sql("TRUNCATE t; INSERT INTO t VALUES (1, 'old', 'old')"); };
    const Values row{text("1"), text("new"), text("new")};

    SUBCASE("an insert writes over them") {
        reset();
        target.open();
        SinkFeed feed;
        target.sink->apply(feed.insert(table, row).complete());
        CHECK(target.rows("SELECT * FROM t") == Lines{"1|new|new"});
        target.sink->close();
        CHECK(target.log.back().find("1 inserts found a row and updated it") != std::string::npos);
    }
    SUBCASE("or leaves them") {
        reset();
        target.options.on_conflict.otherwise = OnConflict::ignore;
        target.open();
        SinkFeed feed;
        target.sink->apply(feed.insert(table, row).complete());
        CHECK(target.rows("SELECT * FROM t") == Lines{"1|old|old"});
    }
    SUBCASE("or stops") {
        reset();
        target.options.on_conflict.otherwise = OnConflict::error;
        target.open();
        SinkFeed feed;
        try {
            target.sink->apply(feed.insert(table, row).complete());
            FAIL("no error");
        } catch (const Error& error) {
            CHECK(std::string(error.what()).find("unable to insert into 'public.t' (id)=(1)") != std::string::npos);
        }
    }
    SUBCASE("an update of a missing row inserts it when it is whole, and stops otherwise") {
        reset();
        target.open();
        SinkFeed feed;
        feed.update(table, {text("2"), text("a"), text("b")});
        feed.remove(table, OldRow::key, {text("9"), null_value, null_value});
        target.sink->apply(feed.complete());
        CHECK(target.rows("SELECT * FROM t ORDER BY id") == Lines{"1|old|old", "2|a|b"});
        feed.insert(table, {text("4"), text("a"), text("b")});
        CHECK_THROWS_AS(target.sink->apply(feed.update(table, {text("3"), text("a"), unchanged_value}).complete()),
                        Error);
        target.open();
        CHECK(target.scalar("SELECT count(*) FROM t") == "2");
    }
}
