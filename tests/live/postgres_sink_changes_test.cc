// What each kind of change does to the target.
#include <doctest/doctest.h>

#include <thread>

#include "tests/live/postgres_sink_fixture.h"
#include "tests/support/process.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

RelationPtr users() { return make_relation("public", "users", {"id integer*", "name text", "note text"}); }

constexpr const char* create_users = "CREATE TABLE users (id int PRIMARY KEY, name text, note text)";
constexpr const char* all_users = "SELECT id, name, note FROM users ORDER BY id";

}  // namespace

TEST_CASE("insert, update and delete by key") {
    PostgresTarget target;
    target.sql(create_users);
    CHECK_FALSE(target.open().has_value());
    const auto table = users();
    SinkFeed feed;
    feed.insert(table, {text("1"), text("ada"), null_value}).insert(table, {text("2"), text("bob"), text("")});
    feed.insert(table, {text("3"), text("eve"), text("x")});
    target.sink->apply(feed.complete());
    CHECK(target.rows("SELECT id, name, note IS NULL, note = '' FROM users ORDER BY id") ==
          Lines{"1|ada|t|", "2|bob|f|t", "3|eve|f|f"});

    feed.update(table, {text("1"), text("ada l."), text("n")});
    feed.update(table, OldRow::key, {text("2"), null_value, null_value}, {text("20"), text("bob"), text("moved")});
    feed.remove(table, OldRow::key, {text("3"), null_value, null_value});
    auto& batch = feed.complete();
    target.sink->apply(batch);
    CHECK(target.rows(all_users) == Lines{"1|ada l.|n", "20|bob|moved"});
    CHECK(target.sink->durable() == batch.upto);
    CHECK(target.open()->checkpoint == batch.upto);
}

TEST_CASE("an unchanged toasted value stays as it is") {
    PostgresTarget target;
    target.sql(create_users);
    target.open();
    const auto table = users();
    SinkFeed feed;
    feed.insert(table, {text("1"), text("ada"), text("long")});
    target.sink->apply(feed.complete());
    feed.update(table, {text("1"), text("b"), unchanged_value});
    feed.update(table, OldRow::key, {text("1"), null_value, null_value}, {text("2"), text("c"), unchanged_value});
    target.sink->apply(feed.complete());
    CHECK(target.rows(all_users) == Lines{"2|c|long"});
}

TEST_CASE("a toasted key that did not change is known from the old row") {
    PostgresTarget target;
    target.sql("CREATE TABLE wide (k text PRIMARY KEY, v int)");
    target.open();
    const auto table = make_relation("public", "wide", {"k text*", "v integer"});
    SinkFeed feed;
    feed.insert(table, {text("key"), text("1")});
    feed.update(table, OldRow::key, {text("key"), null_value}, {unchanged_value, text("2")});
    target.sink->apply(feed.complete());
    CHECK(target.rows("SELECT k, v FROM wide") == Lines{"key|2"});
}

TEST_CASE("several tables are truncated together") {
    PostgresTarget target;
    target.sql(
        "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES "
        "parent); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1)");
    target.open();
    SinkFeed feed;
    feed.truncate({make_relation("public", "parent", {"id integer*"}),
                   make_relation("public", "child", {"id integer*", "p integer"})});
    target.sink->apply(feed.complete());
    CHECK(target.scalar("SELECT (SELECT count(*) FROM parent) + (SELECT count(*) FROM child)") == "0");
}

TEST_CASE("a truncated table other tables refer to is emptied all the same") {
    PostgresTarget target;
    target.sql(
        "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES "
        "parent); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1)");
    target.open();
    SinkFeed feed;
    const auto parent = make_relation("public", "parent", {"id integer*"});
    feed.insert(parent, {text("2")}).truncate({parent}).insert(parent, {text("3")});
    target.sink->apply(feed.complete());
    CHECK(target.rows("SELECT id FROM parent") == Lines{"3"});
    CHECK(target.scalar("SELECT count(*) FROM child") == "1");
}

TEST_CASE("a truncate that another worker's waits for, and that waits for it, is applied by the next session") {
    PostgresTarget target;
    target.sql(
        "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent); "
        "INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1)");
    const auto parent = make_relation("public", "parent", {"id integer*"});
    const auto child = make_relation("public", "child", {"id integer*", "p integer"});
    const auto write = [&](SinkFeed& feed) -> Batch& {
        return feed.insert(parent, {text("2")}).truncate({child, parent}).insert(parent, {text("3")}).complete();
    };
    sql::Connection other(target.server.connect(target.database));
    other.exec("SET deadlock_timeout = '60s'; BEGIN; INSERT INTO public.child VALUES (2, 1)");
    target.open();
    SinkFeed feed;
    std::jthread waits([&] {
        eventually("the worker waits", [&] {
            return target.scalar("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'child'::regclass") !=
                   "0";
        });
        other.exec("LOCK TABLE public.parent IN ACCESS EXCLUSIVE MODE; COMMIT");
    });
    try {
        target.sink->apply(write(feed));
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.action() == Action::retry);
        CHECK(std::string(error.what()).find("deadlock detected") != std::string::npos);
    }
    target.sink.reset();
    waits.join();
    CHECK(target.rows("SELECT id FROM child ORDER BY id") == Lines{"1", "2"});
    CHECK_FALSE(target.open());
    SinkFeed again;
    target.sink->apply(write(again));
    CHECK(target.rows("SELECT id FROM parent") == Lines{"3"});
    CHECK(target.scalar("SELECT count(*) FROM child") == "0");
}

TEST_CASE("restart identity reaches the target's sequence") {
    PostgresTarget target;
    target.sql("CREATE TABLE s (id serial PRIMARY KEY); INSERT INTO s DEFAULT VALUES; INSERT INTO s DEFAULT VALUES");
    SUBCASE("by TRUNCATE") {}
    SUBCASE("by DELETE, where another table refers to it") { target.sql("CREATE TABLE c (s int REFERENCES s)"); }
    target.open();
    SinkFeed feed;
    feed.truncate({make_relation("public", "s", {"id integer*"})}, true);
    target.sink->apply(feed.complete());
    CHECK(target.scalar("INSERT INTO s DEFAULT VALUES RETURNING id") == "1");
}

TEST_CASE("values keep their text") {
    PostgresTarget target;
    target.sql(
        "CREATE DOMAIN short AS varchar(3); CREATE TYPE mood AS ENUM ('ok', 'bad'); "
        "CREATE TYPE pair AS (a int, b text); "
        "CREATE TABLE t (id int PRIMARY KEY, n numeric, f float8, b bytea, ts timestamptz, j json, arr text[], "
        "c char(5), d short, m mood, p pair, r int4multirange, bits bit(3), x xml, \"Wei\"\"rd\" text)");
    target.open();
    const auto table = make_relation(
        "public", "t",
        {"id integer*", "n numeric", "f double", "b bytea", "ts timestamptz", "j json", "arr text[]", "c character",
         "d short", "m mood", "p pair", "r int4multirange", "bits bit", "x xml", "Wei\"rd text"});
    SinkFeed feed;
    feed.insert(table, {text("1"), text("NaN"), text("-0"), text("\\x00ff"), text("0044-03-15 12:00:00+00 BC"),
                        text("{\"a\":  1}"), text("{NULL,\"NULL\",\"a,b\",\"\\\\\\\"\"}"), text("ab   "), text("abc"),
                        text("bad"), text("(1,\"x \"\"y\")"), text("{[1,3),[5,7)}"), text("101"), text("<a/>"),
                        text("it's \\N \t \n $1 {}")});
    target.sink->apply(feed.complete());
    CHECK(target.rows("SELECT n, f, b, ts = '0044-03-15 12:00:00+00 BC', j, arr, length(c), d, m, p, r, bits, x FROM "
                      "t") ==
          Lines{"NaN|-0|\\x00ff|t|{\"a\":  1}|{NULL,\"NULL\",\"a,b\",\"\\\\\\\"\"}|2|abc|bad|(1,\"x \"\"y\")|{[1,3),[5,"
                "7)}|101|<a/>"});
    CHECK(target.scalar("SELECT \"Wei\"\"rd\" = E'it''s \\\\N \\t \\n $1 {}' FROM t") == "t");
}

TEST_CASE("a value too long for its column is an error, not cut") {
    PostgresTarget target;
    target.sql(
        "CREATE DOMAIN short AS varchar(3); CREATE TABLE v (id int PRIMARY KEY, a varchar(3), d short, l "
        "varchar(3)[])");
    target.open();
    const auto table = make_relation("public", "v", {"id integer*", "a text", "d text", "l text[]"});
    for (int column = 1; column < 4; ++column) {
        Values row{text("1"), text("ok"), text("ok"), text("{ok}")};
        row[static_cast<std::size_t>(column)] = column == 3 ? text("{abcd}") : text("abcd");
        SinkFeed feed;
        target.open();
        CHECK_THROWS_AS(target.sink->apply(feed.insert(table, row).complete()), Error);
    }
    CHECK(target.scalar("SELECT count(*) FROM v") == "0");
}
