// --on-error dead-letter: the good changes land, the bad one is parked with its reason.
#include <doctest/doctest.h>

#include "tests/live/postgres_sink_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

struct Parked : DeadLetters {
    std::vector<std::string> lines;
    void park(const Change& change, std::string_view reason) override {
        lines.push_back(to_string(change.position) + " " + std::string(reason));
    }
};

}  // namespace

TEST_CASE("one bad row among many") {
    PostgresTarget target;
    target.sql("CREATE TABLE t (id int PRIMARY KEY, v int CHECK (v <> 13))");
    const auto table = make_relation("public", "t", {"id integer*", "v integer"});
    const auto fill = [&](SinkFeed& feed) -> Batch& {
        for (int i = 0; i < 1000; ++i) {
            const std::string id = std::to_string(i);
            const std::string v = i == 700 ? "13" : "1";
            feed.insert(table, {text(id), text(v)});
        }
        return feed.complete();
    };
    SUBCASE("is parked") {
        Parked parked;
        target.options.on_error = OnError::dead_letter;
        target.open(&parked);
        SinkFeed feed;
        target.sink->apply(fill(feed));
        CHECK(target.scalar("SELECT count(*) FROM t") == "999");
        REQUIRE(parked.lines.size() == 1);
        CHECK(parked.lines[0].find("0/44C:701 unable to insert into 'public.t' (id)=(700): ") == 0);
        // An update of the row that is not there is parked too, if it cannot make it.
        feed.update(table, {text("700"), unchanged_value}).update(table, {text("1"), text("5")});
        target.sink->apply(feed.complete());
        CHECK(parked.lines.size() == 2);
        CHECK(target.scalar("SELECT v FROM t WHERE id = 1") == "5");
        target.sink->close();
        CHECK(target.log.back().find("2 changes parked") != std::string::npos);
    }
    SUBCASE("stops by default, naming it, and nothing is applied") {
        target.open();
        SinkFeed feed;
        try {
            target.sink->apply(fill(feed));
            FAIL("no error");
        } catch (const Error& error) {
            CHECK(std::string(error.what()).find("unable to insert into 'public.t' (id)=(700): ") == 0);
        }
        target.sink.reset();
        CHECK(target.scalar("SELECT count(*) FROM t") == "0");
    }
}

TEST_CASE("a bad row in a piece of a large transaction") {
    PostgresTarget target;
    target.sql("CREATE TABLE t (id int PRIMARY KEY, v int CHECK (v <> 13))");
    Parked parked;
    target.options.on_error = OnError::dead_letter;
    target.open(&parked);
    const auto table = make_relation("public", "t", {"id integer*", "v integer"});
    SinkFeed feed;
    target.sink->apply(feed.insert(table, {text("1"), text("1")}).piece());
    target.sink->apply(feed.insert(table, {text("2"), text("13")}).insert(table, {text("3"), text("1")}).piece());
    target.sink->apply(feed.insert(table, {text("4"), text("1")}).complete());
    CHECK(target.rows("SELECT id FROM t ORDER BY id") == Lines{"1", "3", "4"});
    CHECK(parked.lines.size() == 1);
}

TEST_CASE("bad rows of the snapshot") {
    PostgresTarget target;
    target.sql("CREATE TABLE t (id int PRIMARY KEY, v int CHECK (v <> 13)); INSERT INTO t VALUES (5, 0)");
    Parked parked;
    target.options.on_error = OnError::dead_letter;
    target.options.existing_rows = ExistingRows::keep;
    target.open(&parked);
    const auto table = make_relation("public", "t", {"id integer*", "v integer"});
    SnapshotBegin begin;
    begin.epoch = 1;
    target.sink->begin_snapshot(begin, {table}, {StreamSeq{5}, {Lsn{9}, 0}});
    CopyBlock block;
    block.relation = table.get();
    block.relation_owner = table;
    const std::string first = "1\t1\n2\t13\n3\t1\n4\tx\n5\t5\n";
    const std::string second = "6\t1\n7\t1\n";
    block.text = first;
    block.first_seq = block.last_seq = StreamSeq{6};
    target.sink->copy(block);
    block.text = second;
    block.first_seq = block.last_seq = StreamSeq{7};
    target.sink->copy(block);
    target.sink->end_snapshot({}, {StreamSeq{8}, {Lsn{9}, 0}});
    CHECK(target.rows("SELECT id, v FROM t ORDER BY id") == Lines{"1|1", "3|1", "5|5", "6|1", "7|1"});
    REQUIRE(parked.lines.size() == 2);
    CHECK(parked.lines[0].find("unable to load row 2 of the stream's message 6 into 'public.t': ") !=
          std::string::npos);
    CHECK(parked.lines[1].find("unable to load row 4 of the stream's message 6 into 'public.t': ") !=
          std::string::npos);
}
