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
    std::string failure(const Batch& batch) {
        try {
            sink->apply(batch);
        } catch (const Error& error) {
            return error.what();
        }
        return "";
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
