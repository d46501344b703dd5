// To plan a statement is enough to run what a table's owner has hung on it: what is constant in the expressions of
// indexes and statistics is computed then, also where no row is read. Never with the worker's rights.
#include <doctest/doctest.h>

#include "tests/live/hostile_target.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

const std::vector<std::string> ways{
    "CREATE STATISTICS own.st ON (v + own.pure(1)), id FROM own.t",
    "CREATE INDEX ON own.t ((v + own.pure(1)))",
    "CREATE INDEX ON own.t (id) WHERE v > own.pure(1)",
};

// With a sequence to be set, and a constraint that is checked before the commit.
std::string make(const std::string& way) {
    return "CREATE TABLE own.t (id serial PRIMARY KEY, v int UNIQUE DEFERRABLE INITIALLY DEFERRED); " + way +
           "; TRUNCATE own.loot";
}

RelationPtr table() { return make_relation("own", "t", {"id integer*", "v integer"}); }

void copy(PostgresTarget& target) {
    SnapshotBegin begin;
    begin.epoch = 1;
    begin.consistent_point = Lsn{500};
    target.sink->begin_snapshot(begin, {table()}, {StreamSeq{5}, {Lsn{500}, 0}});
    target.sink->end_snapshot({}, {StreamSeq{7}, {Lsn{500}, 0}});
}

}  // namespace

TEST_CASE("planning a write, a check of deferred constraints or a look at a sequence's rows runs as the owner") {
    for (const std::string& way : ways) {
        CAPTURE(way);
        Hostile target(make(way));
        target.open();
        SinkFeed feed;
        target.sink->apply(feed.insert(table(), {text("1"), text("1")}).complete());
        target.sink->flush();
        target.sink->apply(feed.update(table(), {text("1"), text("7")}).complete());
        target.sink->apply(feed.insert(table(), {text("2"), text("8")}).complete());
        target.sink->apply(feed.remove(table(), OldRow::key, {text("1"), null_value}).complete());
        target.sink->close();
        target.sink.reset();
        target.check_only_as_mallory();
        target.check_rows({"2|8"});
        CHECK(target.scalar("SELECT last_value FROM own.t_id_seq") == "2");
    }
}

TEST_CASE("planning the look for rows that are in the way of a copy runs as the owner") {
    for (const std::string& way : ways) {
        for (const auto existing : {ExistingRows::error, ExistingRows::truncate, ExistingRows::keep}) {
            CAPTURE(way);
            Hostile target(make(way));
            target.options.existing_rows = existing;
            target.open();
            copy(target);
            target.sink.reset();
            target.check_only_as_mallory();
        }
    }
}

TEST_CASE("rows in the way are seen as the owner") {
    Hostile target(make(ways.front()) + "; INSERT INTO own.t VALUES (1, 1)");
    target.open();
    CHECK_THROWS_WITH_AS(copy(target), doctest::Contains("already holds rows in \"own\".\"t\""), Error);
}
