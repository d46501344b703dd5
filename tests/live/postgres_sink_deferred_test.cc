// Deferrable constraints, which session_replication_role = replica would leave unchecked.
#include <doctest/doctest.h>

#include "tests/live/postgres_sink_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

struct Deferred : PostgresTarget {
    RelationPtr table = make_relation("public", "t", {"id integer*", "u integer", "r int4range"});
    SinkFeed feed;

    Deferred() {
        sql("CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE DEFERRABLE INITIALLY DEFERRED, r int4range, CONSTRAINT "
            "apart EXCLUDE USING gist (r WITH &&) DEFERRABLE INITIALLY DEFERRED); INSERT INTO t VALUES (100, 7, "
            "'[70,80)')");
        open();
    }
};

}  // namespace

TEST_CASE("values may swap within a transaction, also when it comes in pieces") {
    Deferred target;
    auto& feed = target.feed;
    feed.insert(target.table, {text("1"), text("1"), text("[1,2)")});
    feed.insert(target.table, {text("2"), text("2"), text("[2,3)")});
    target.sink->apply(feed.complete());
    target.sink->apply(feed.update(target.table, {text("1"), text("2"), text("[2,3)")}).piece());
    target.sink->apply(feed.update(target.table, {text("2"), text("1"), text("[1,2)")}).complete());
    CHECK(target.rows("SELECT id, u, r FROM t ORDER BY id") == Lines{"1|2|[2,3)", "2|1|[1,2)", "100|7|[70,80)"});
}

TEST_CASE("a duplicate with a row of the target's own is not committed") {
    Deferred target;
    std::string constraint;
    SUBCASE("unique") {
        target.feed.insert(target.table, {text("1"), text("7"), null_value});
        constraint = "'t_u_key'";
    }
    SUBCASE("exclusion") {
        target.feed.insert(target.table, {text("1"), text("8"), text("[75,76)")});
        constraint = "'apart'";
    }
    CHECK(target.failure(target.feed.complete()).find(constraint) != std::string::npos);
    target.sink.reset();
    CHECK(target.scalar("SELECT count(*) FROM t") == "1");
}

TEST_CASE("a row that was noted and changed again does not count as it was") {
    Deferred target;
    target.feed.insert(target.table, {text("1"), text("1"), text("[10,30)")});
    target.feed.insert(target.table, {text("2"), text("2"), text("[30,40)")});
    target.feed.update(target.table, {text("1"), text("1"), text("[10,15)")});
    target.feed.insert(target.table, {text("3"), text("3"), text("[15,20)")});
    target.feed.insert(target.table, {text("4"), text("4"), text("[20,30)")});
    CHECK(target.failure(target.feed.complete()).empty());
}

TEST_CASE("constraints a row does not break with itself, and those to which NULLs are equal") {
    PostgresTarget target;
    target.sql(
        "CREATE EXTENSION btree_gist; CREATE TABLE zoo (id int PRIMARY KEY, cage int, animal text, EXCLUDE USING gist "
        "(cage WITH =, animal WITH <>) DEFERRABLE INITIALLY DEFERRED); INSERT INTO zoo VALUES (100, 1, 'lion')");
    const auto zoo = make_relation("public", "zoo", {"id integer*", "cage integer", "animal text"});
    target.open();
    SinkFeed feed;
    CHECK(target.failure(feed.insert(zoo, {text("1"), text("1"), text("lion")}).complete()).empty());
    CHECK(target.failure(feed.insert(zoo, {text("2"), text("1"), text("zebra")}).complete()).find("zoo_cage_animal") !=
          std::string::npos);
    target.sink.reset();
    CHECK(target.scalar("SELECT count(*) FROM zoo") == "2");
    if (target.server.version() < 150000) return;
    target.sql(
        "CREATE TABLE n (id int PRIMARY KEY, u int, w int, UNIQUE NULLS NOT DISTINCT (u, w) DEFERRABLE INITIALLY "
        "DEFERRED); INSERT INTO n VALUES (100, NULL, 1)");
    const auto n = make_relation("public", "n", {"id integer*", "u integer", "w integer"});
    target.open();
    CHECK(target.failure(feed.insert(n, {text("1"), null_value, text("2")}).complete()).empty());
    CHECK(target.failure(feed.insert(n, {text("2"), null_value, text("1")}).complete()).find("n_u_w_key") !=
          std::string::npos);
}

namespace {

// Row 3 of `child` is at fault. Children come before their parents, so that only the transaction's end can tell.
void violate(PostgresTarget& target) {
    const auto parent = make_relation("public", "p", {"id integer*"});
    const auto child = make_relation("public", "child", {"id integer*", "p integer"});
    SinkFeed feed;
    for (const char* id : {"1", "2"}) feed.insert(child, {text(id), text(id)});
    feed.insert(child, {text("3"), text("99")}).insert(child, {text("4"), text("4")});
    for (const char* id : {"1", "2", "4"}) feed.insert(parent, {text(id)});
    feed.next_transaction();
    feed.insert(parent, {text("5")}).insert(child, {text("5"), text("5")});
    const Batch& batch = feed.complete();
    Parked parked;
    SUBCASE("stop") {
        target.open();
        std::string hint;
        CHECK(target.failure(batch, &hint).find("unable to insert into 'public.child' (id)=(3): ") == 0);
        CHECK(hint.find("--on-error dead-letter") != std::string::npos);
        target.sink.reset();
        CHECK(target.scalar("SELECT count(*) FROM p") == "0");
    }
    SUBCASE("dead-letter") {
        target.options.on_error = OnError::dead_letter;
        target.open(&parked);
        target.sink->apply(batch);
        CHECK(target.rows("SELECT id FROM child WHERE id < 100 ORDER BY id") == Lines{"1", "2", "4", "5"});
        CHECK(target.scalar("SELECT count(*) FROM p") == "4");
        REQUIRE(parked.lines.size() == 1);
        CHECK(parked.lines[0].find("unable to insert into 'public.child' (id)=(3): ") != std::string::npos);
    }
    SUBCASE("dead-letter, at the end of a transaction that came in pieces") {
        target.options.on_error = OnError::dead_letter;
        target.open(&parked);
        target.sink->apply(feed.insert(parent, {text("6")}).piece());
        target.sink->apply(feed.insert(child, {text("7"), text("99")}).insert(parent, {text("8")}).complete());
        CHECK(target.rows("SELECT id FROM p") == Lines{"6", "8"});
        CHECK(parked.lines.size() == 1);
    }
}

}  // namespace

TEST_CASE("of a deferred foreign key that does not hold, the change at fault is named or parked") {
    PostgresTarget target;
    target.as_plain_role(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES p DEFERRABLE)");
    violate(target);
}

TEST_CASE("of a deferrable unique constraint that does not hold, the change at fault is named or parked") {
    PostgresTarget target;
    target.sql(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, p int UNIQUE DEFERRABLE); "
        "INSERT INTO child VALUES (100, 99)");
    violate(target);
}

TEST_CASE("NULLs do not conflict") {
    Deferred target;
    target.feed.insert(target.table, {text("1"), null_value, null_value});
    target.feed.insert(target.table, {text("2"), null_value, null_value});
    CHECK(target.failure(target.feed.complete()).empty());
}

TEST_CASE("an immediate exclusion constraint is kept while rows take each other's place") {
    PostgresTarget target;
    target.sql("CREATE TABLE t (id int PRIMARY KEY, r int4range, EXCLUDE USING gist (r WITH &&))");
    target.open();
    const auto table = make_relation("public", "t", {"id integer*", "r int4range"});
    SinkFeed feed;
    for (int i = 0; i < 10; ++i) {
        const std::string id = std::to_string(i);
        const std::string range = "[" + std::to_string(i) + "," + std::to_string(i + 1) + ")";
        feed.insert(table, {text(id), text(range)});
    }
    target.sink->apply(feed.complete());
    for (int i = 9; i >= 0; --i) {  // each moves into the place the one before has left
        const std::string id = std::to_string(i);
        const std::string range = "[" + std::to_string(i + 1) + "," + std::to_string(i + 2) + ")";
        feed.update(table, {text(id), text(range)});
    }
    target.sink->apply(feed.complete());
    CHECK(target.scalar("SELECT count(*) FROM t WHERE lower(r) = id + 1") == "10");
}
