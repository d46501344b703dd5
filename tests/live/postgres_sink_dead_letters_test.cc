// --on-error dead-letter: the good changes land, the bad one is parked with its reason.
#include <doctest/doctest.h>

#include "tests/live/postgres_sink_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;

TEST_CASE("one bad row among many") {
    PostgresTarget target;
    target.sql("CREATE TABLE t (id int PRIMARY KEY, v int CHECK (v <> 13))");
    const auto table = make_relation("public", "t", {"id integer*", "v integer"});
    const auto fill = [&](SinkFeed& feed) -> Batch& {
        for (int i = 0; i < 10000; ++i) {
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
        CHECK(target.scalar("SELECT count(*) FROM t") == "9999");
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
        const Batch& batch = fill(feed);
        std::string hint;
        CHECK(target.failure(batch, &hint).find("unable to insert into 'public.t' (id)=(700): ") == 0);
        CHECK(hint.find("--on-error dead-letter") != std::string::npos);
        target.sink.reset();
        CHECK(target.scalar("SELECT count(*) FROM t") == "0");
        // Once that is mended, a new start applies all of it.
        target.sql("ALTER TABLE t DROP CONSTRAINT t_v_check");
        CHECK_FALSE(target.open().has_value());
        CHECK(target.failure(batch).empty());
        CHECK(target.scalar("SELECT count(*) FROM t") == "10000");
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
    begin.consistent_point = Lsn{9};
    target.sink->begin_snapshot(begin, {table}, {StreamSeq{5}, {Lsn{9}, 0}});
    CopyBlock block;
    block.relation = table.get();
    block.relation_owner = table;
    const std::string first = "1\t1\n2\t13\n3\t1\n4\tx\n5\t5\n";
    const std::string second = "6\t1\n7\t1\n";
    block.text = first;
    block.first_seq = block.last_seq = StreamSeq{6};
    block.first_position = {Lsn{9}, 1};
    target.sink->copy(block);
    block.text = second;
    block.first_seq = block.last_seq = StreamSeq{7};
    target.sink->copy(block);
    target.sink->end_snapshot({}, {StreamSeq{8}, {Lsn{9}, 0}});
    CHECK(target.rows("SELECT id, v FROM t ORDER BY id") == Lines{"1|1", "3|1", "5|5", "6|1", "7|1"});
    REQUIRE(parked.lines.size() == 2);
    CHECK(target.rows("SELECT position FROM pgsluice.parked ORDER BY 1") == Lines{"0/9:2", "0/9:4"});
    CHECK(parked.lines[0].find("unable to load row 2 of the stream's message 6 into 'public.t': ") !=
          std::string::npos);
    CHECK(parked.lines[1].find("unable to load row 4 of the stream's message 6 into 'public.t': ") !=
          std::string::npos);
}

TEST_CASE("what is parked is noted with the rest of its transaction, and a new copy makes it void") {
    PostgresTarget target;
    target.sql("CREATE TABLE t (id int PRIMARY KEY, v int CHECK (v <> 13))");
    Parked parked;
    target.options.on_error = OnError::dead_letter;
    target.options.existing_rows = ExistingRows::truncate;
    target.open(&parked);
    const auto table = make_relation("public", "t", {"id integer*", "v integer"});
    SinkFeed feed;
    target.sink->apply(feed.insert(table, {text("1"), text("13")}).piece());
    CHECK(parked.lines.size() == 1);
    target.open(&parked);  // rolled back
    CHECK(target.scalar("SELECT count(*) FROM pgsluice.parked") == "0");
    target.sink->apply(feed.insert(table, {text("2"), text("13")}).complete());
    CHECK(target.scalar("SELECT count(*) FROM pgsluice.parked") == "1");
    SnapshotBegin begin;
    begin.epoch = 1;
    target.sink->begin_snapshot(begin, {table}, {StreamSeq{50}, {Lsn{9999}, 0}});
    CHECK(target.scalar("SELECT count(*) FROM pgsluice.parked") == "0");
}

TEST_CASE("a new copy makes the letters of its own tables void, and no other's") {
    PostgresTarget target;
    target.sql("CREATE TABLE t (id int PRIMARY KEY, v int CHECK (v <> 13)); CREATE TABLE other (LIKE t INCLUDING ALL)");
    Parked parked;
    target.options.on_error = OnError::dead_letter;
    target.options.existing_rows = ExistingRows::truncate;
    target.open(&parked);
    auto before = std::make_shared<Relation>(*make_relation("public", "t", {"id integer*", "v integer"}));
    before->oid = 4711;
    const auto other = make_relation("public", "other", {"id integer*", "v integer"});
    SinkFeed feed;
    target.sink->apply(feed.insert(before, {text("1"), text("13")}).insert(other, {text("1"), text("13")}).complete());
    CHECK(target.scalar("SELECT count(*) FROM pgsluice.parked") == "2");
    auto again = std::make_shared<Relation>(*before);
    SUBCASE("renamed since") {
        target.sql("ALTER TABLE t RENAME TO u");
        again->table = "u";
    }
    SUBCASE("made anew since") { again->oid = 4712; }
    SnapshotBegin begin;
    begin.epoch = 1;
    target.sink->begin_snapshot(begin, {again}, {StreamSeq{50}, {Lsn{9999}, 0}});
    CHECK(target.rows("SELECT \"table\" FROM pgsluice.parked") == Lines{"\"public\".\"other\""});
}

TEST_CASE("letters noted before their table was noted are void by any copy") {
    PostgresTarget target;
    target.sql(
        "CREATE TABLE t (id int PRIMARY KEY); CREATE SCHEMA pgsluice; CREATE TABLE pgsluice.parked (\"group\" text, "
        "worker text, position text, PRIMARY KEY (\"group\", worker, position))");
    target.options.existing_rows = ExistingRows::truncate;
    target.open();
    target.sql(
        "INSERT INTO pgsluice.parked (\"group\", worker, position) SELECT \"group\", worker, '0/9:2' FROM "
        "pgsluice.progress");
    CHECK(target.scalar("SELECT count(*) FROM pgsluice.parked") == "1");
    SnapshotBegin begin;
    begin.epoch = 1;
    target.sink->begin_snapshot(begin, {make_relation("public", "t", {"id integer*"})},
                                {StreamSeq{50}, {Lsn{9999}, 0}});
    CHECK(target.scalar("SELECT count(*) FROM pgsluice.parked") == "0");
}

TEST_CASE("what is not a row's own fault stops, also where rows are parked") {
    PostgresTarget target;
    Parked parked;
    target.options.on_error = OnError::dead_letter;
    const auto table = make_relation("public", "t", {"id integer*", "v integer"});
    SinkFeed feed;
    SUBCASE("no privilege") {
        target.as_plain_role("CREATE TABLE own (id int)");
        target.sql("CREATE TABLE t (id int PRIMARY KEY, v int)");
        target.open(&parked);
        CHECK(target.failure(feed.insert(table, {text("1"), text("1")}).complete()).find("permission denied") !=
              std::string::npos);
    }
    SUBCASE("a trigger that is cancelled") {
        target.sql(
            "CREATE TABLE t (id int PRIMARY KEY, v int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN RAISE EXCEPTION 'cancelled' USING ERRCODE = '57014'; END $$; CREATE TRIGGER g BEFORE INSERT ON t "
            "FOR "
            "EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t ENABLE ALWAYS TRIGGER g");
        target.open(&parked);
        SUBCASE("while streaming") {
            CHECK(target.failure(feed.insert(table, {text("1"), text("1")}).complete()).find("cancelled") !=
                  std::string::npos);
        }
        SUBCASE("while loading") {
            SnapshotBegin begin;
            begin.epoch = 1;
            target.sink->begin_snapshot(begin, {table}, {StreamSeq{5}, {Lsn{9}, 0}});
            CopyBlock block;
            block.relation = table.get();
            block.relation_owner = table;
            block.text = "1\t1\n";
            block.first_seq = block.last_seq = StreamSeq{6};
            target.sink->copy(block);
            CHECK_THROWS_AS(target.sink->end_snapshot({}, {StreamSeq{8}, {Lsn{9}, 0}}), SqlError);
        }
    }
    CHECK(parked.lines.empty());
}
