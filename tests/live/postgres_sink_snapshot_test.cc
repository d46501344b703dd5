// The snapshot is loaded exactly once, over several connections.
#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "tests/live/postgres_sink_fixture.h"
#include "tests/support/process.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// Blocks of one table: rows "1\tvalue", a hundred a block.
struct Blocks {
    RelationPtr relation;
    std::vector<std::string> texts;

    CopyBlock at(std::size_t index, std::uint64_t seq) const {
        CopyBlock block;
        block.relation = relation.get();
        block.relation_owner = relation;
        block.text = texts[index];
        block.rows = 100;
        block.first_seq = block.last_seq = StreamSeq{seq};
        return block;
    }
};

Blocks make_blocks(const RelationPtr& relation, std::size_t count) {
    Blocks blocks{relation, {}};
    for (std::size_t b = 0; b < count; ++b) {
        std::string text;
        for (std::size_t i = 0; i < 100; ++i)
            text += std::to_string(b * 100 + i) + "\tv\\\\" + std::to_string(b) + "\n";
        blocks.texts.push_back(std::move(text));
    }
    return blocks;
}

RelationPtr table(const std::string& name) { return make_relation("public", name, {"id integer*", "v text"}); }

SnapshotBegin begin_of(std::uint64_t epoch) {
    SnapshotBegin begin;
    begin.epoch = epoch;
    begin.consistent_point = Lsn{500};
    return begin;
}

Checkpoint at_seq(std::uint64_t seq) { return {StreamSeq{seq}, {Lsn{500}, 0}}; }

}  // namespace

TEST_CASE("blocks of several tables are loaded, each row once") {
    PostgresTarget target;
    target.sql("CREATE TABLE a (id int, v text); CREATE TABLE b (v text, id int PRIMARY KEY)");
    target.open();
    const auto a = make_blocks(table("a"), 20);
    const auto b = make_blocks(table("b"), 20);
    target.sink->begin_snapshot(begin_of(1), {a.relation, b.relation, nullptr}, at_seq(5));
    for (std::size_t i = 0; i < 20; ++i) {
        target.sink->copy(a.at(i, 6 + 2 * i));
        target.sink->copy(b.at(i, 7 + 2 * i));
    }
    target.sink->end_snapshot({}, at_seq(47));
    CHECK(target.scalar("SELECT count(*) || ',' || count(DISTINCT id) FROM a") == "2000,2000");
    CHECK(target.scalar("SELECT count(*) FROM b WHERE v = 'v\\' || id / 100") == "2000");
    CHECK(target.scalar("SELECT count(*) FROM pgsluice.loaded") == "0");
    const auto state = target.open();
    CHECK(state->checkpoint == at_seq(47));
    CHECK(state->loading_epoch == 0);
}

TEST_CASE("a restart in the middle skips what is loaded") {
    PostgresTarget target;
    target.sql("CREATE TABLE a (id int, v text)");
    target.open();
    const auto a = make_blocks(table("a"), 10);
    target.sink->begin_snapshot(begin_of(3), {a.relation}, at_seq(5));
    for (std::size_t i = 0; i < 4; ++i) target.sink->copy(a.at(i, 6 + i));
    CHECK(eventually("four blocks are there", [&] { return target.scalar("SELECT count(*) FROM a") == "400"; }));
    const auto state = target.open();
    CHECK(state->loading_epoch == 3);
    CHECK(state->begin_seq == StreamSeq{5});
    target.sink->begin_snapshot(begin_of(3), {a.relation}, at_seq(5));
    for (std::size_t i = 0; i < 10; ++i) target.sink->copy(a.at(i, 6 + i));
    target.sink->end_snapshot({}, at_seq(16));
    CHECK(target.scalar("SELECT count(*) || ',' || count(DISTINCT id) FROM a") == "1000,1000");
}

TEST_CASE("another copy of the same number does not continue what the first one loaded") {
    PostgresTarget target;
    target.sql("CREATE TABLE a (id int, v text)");
    target.open();
    const auto a = make_blocks(table("a"), 10);
    target.sink->begin_snapshot(begin_of(1), {a.relation}, at_seq(5));
    for (std::size_t i = 0; i < 4; ++i) target.sink->copy(a.at(i, 6 + i));
    CHECK(eventually("four blocks are there", [&] { return target.scalar("SELECT count(*) FROM a") == "400"; }));
    target.open();
    SnapshotBegin other = begin_of(1);
    other.consistent_point = Lsn{600};
    target.sink->begin_snapshot(other, {a.relation}, {StreamSeq{5}, {Lsn{600}, 0}});
    CHECK(target.scalar("SELECT count(*) FROM a") == "0");
    target.sink->copy(a.at(7, 6));
    target.sink->end_snapshot({}, {StreamSeq{8}, {Lsn{600}, 0}});
    CHECK(target.scalar("SELECT count(*) FROM a") == "100");
}

TEST_CASE("the checkpoint follows what is loaded, so that the stream can be trimmed") {
    PostgresTarget target;
    target.sql("CREATE TABLE a (id int, v text)");
    target.open();
    const auto a = make_blocks(table("a"), 4);
    target.sink->begin_snapshot(begin_of(1), {a.relation}, at_seq(5));
    for (std::size_t i = 0; i < 4; ++i) target.sink->copy(a.at(i, 6 + i));
    CHECK(eventually("the checkpoint moves", [&] {
        target.sink->flush();
        return target.sink->durable().resume_seq == StreamSeq{10};
    }));
    const auto state = target.open();
    CHECK(state->checkpoint.resume_seq == StreamSeq{10});
    CHECK(state->begin_seq == StreamSeq{5});
    CHECK(target.scalar("SELECT count(*) FROM pgsluice.loaded") == "0");
}

TEST_CASE("a new epoch empties what the old one loaded") {
    PostgresTarget target;
    target.sql("CREATE TABLE a (id int, v text); CREATE TABLE gone (id int, v text)");
    target.open();
    const auto a = make_blocks(table("a"), 4);
    const auto gone = make_blocks(table("gone"), 1);
    target.sink->begin_snapshot(begin_of(1), {a.relation, gone.relation}, at_seq(5));
    for (std::size_t i = 0; i < 3; ++i) target.sink->copy(a.at(i, 6 + i));
    target.sink->copy(gone.at(0, 9));
    CHECK(eventually("the old epoch is there", [&] { return target.scalar("SELECT count(*) FROM gone") == "100"; }));
    SUBCASE("after a restart") { target.open(); }
    SUBCASE("in the same session") {}
    target.sink->begin_snapshot(begin_of(2), {a.relation}, at_seq(20));
    target.sink->copy(a.at(3, 21));
    target.sink->end_snapshot({}, at_seq(22));
    CHECK(target.scalar("SELECT count(*) FROM a") == "100");
    CHECK(target.scalar("SELECT count(*) FROM gone") == "0");
}

TEST_CASE("rows that are there already") {
    PostgresTarget target;
    target.sql("CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a VALUES (1, 'old'), (100000, 'own')");
    const auto a = make_blocks(table("a"), 1);
    SUBCASE("are refused by default") {
        target.open();
        try {
            target.sink->begin_snapshot(begin_of(1), {a.relation}, at_seq(5));
            FAIL("no error");
        } catch (const Error& error) {
            CHECK(std::string(error.what()).find("\"public\".\"a\"") != std::string::npos);
            CHECK(error.hint().find("--target-existing-rows") != std::string::npos);
        }
        CHECK_FALSE(target.open().has_value());
    }
    SUBCASE("or truncated") {
        target.options.existing_rows = ExistingRows::truncate;
        target.open();
        target.sink->begin_snapshot(begin_of(1), {a.relation}, at_seq(5));
        target.sink->copy(a.at(0, 6));
        target.sink->end_snapshot({}, at_seq(7));
        CHECK(target.scalar("SELECT count(*) FROM a") == "100");
    }
    SUBCASE("or kept") {
        target.options.existing_rows = ExistingRows::keep;
        target.open();
        target.sink->begin_snapshot(begin_of(1), {a.relation}, at_seq(5));
        target.sink->copy(a.at(0, 6));
        target.sink->end_snapshot({}, at_seq(7));
        CHECK(target.scalar("SELECT count(*) FROM a") == "101");
        CHECK(target.scalar("SELECT v FROM a WHERE id = 1") == "v\\0");
    }
}

TEST_CASE("a new epoch empties what the unfinished one filled, and no table that came to the group since") {
    PostgresTarget target;
    target.sql("CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, v text)");
    target.open();
    const auto a = make_blocks(table("a"), 1);
    const auto b = make_blocks(table("b"), 1);
    target.sink->begin_snapshot(begin_of(1), {a.relation}, at_seq(5));
    target.sink->copy(a.at(0, 6));
    CHECK(eventually("the old epoch is there", [&] { return target.scalar("SELECT count(*) FROM a") == "100"; }));
    target.sql("INSERT INTO b VALUES (7777, 'precious')");
    target.open();
    CHECK_THROWS_WITH_AS(target.sink->begin_snapshot(begin_of(2), {a.relation, b.relation}, at_seq(20)),
                         doctest::Contains("already holds rows in \"public\".\"b\""), Error);
    CHECK(target.scalar("SELECT v FROM b") == "precious");
    target.options.existing_rows = ExistingRows::keep;
    target.open();
    target.sink->begin_snapshot(begin_of(2), {a.relation, b.relation}, at_seq(20));
    CHECK(target.scalar("SELECT count(*) FROM a") == "0");
    target.sink->copy(b.at(0, 21));
    target.sink->end_snapshot({}, at_seq(22));
    CHECK(target.scalar("SELECT count(*) FROM b") == "101");
}

TEST_CASE("rows without a key are not kept where they would be there twice") {
    PostgresTarget target;
    target.sql("CREATE TABLE a (id int, v text)");
    target.options.existing_rows = ExistingRows::keep;
    target.open();
    const auto a = make_blocks(table("a"), 2);
    target.sink->begin_snapshot(begin_of(1), {a.relation}, at_seq(5));
    target.sink->copy(a.at(0, 6));
    CHECK(eventually("a block is there", [&] { return target.scalar("SELECT count(*) FROM a") == "100"; }));
    target.open();
    target.sink->begin_snapshot(begin_of(2), {a.relation}, at_seq(20));
    for (std::size_t i = 0; i < 2; ++i) target.sink->copy(a.at(i, 21 + i));
    target.sink->end_snapshot({}, at_seq(23));
    CHECK(target.scalar("SELECT count(*) || ',' || count(DISTINCT id) FROM a") == "200,200");
    try {
        target.sink->begin_snapshot(begin_of(3), {a.relation}, at_seq(30));
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(std::string(error.what()).find("rows in \"public\".\"a\", which has no key") != std::string::npos);
        CHECK(error.hint().find("primary key") != std::string::npos);
    }
}

TEST_CASE("rows of a table that inherits from one of the copy are not the copy's") {
    PostgresTarget target;
    target.sql(
        "CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE child () INHERITS (a); INSERT INTO child VALUES (1, "
        "'mine')");
    const auto a = make_blocks(table("a"), 1);
    SUBCASE("by default") {}
    SUBCASE("with truncate") { target.options.existing_rows = ExistingRows::truncate; }
    SUBCASE("with truncate, and a table that refers to it") {
        target.options.existing_rows = ExistingRows::truncate;
        target.sql("CREATE TABLE refers (a int REFERENCES a); INSERT INTO a VALUES (2, 'old')");
    }
    target.open();
    target.sink->begin_snapshot(begin_of(1), {a.relation}, at_seq(5));
    target.sink->copy(a.at(0, 6));
    target.sink->end_snapshot({}, at_seq(7));
    CHECK(target.scalar("SELECT count(*) FROM ONLY a") == "100");
    CHECK(target.scalar("SELECT v FROM child") == "mine");
}

TEST_CASE("while the loaders wait the sink says so") {
    PostgresTarget target;
    target.sql("CREATE TABLE a (id int, v text)");
    target.open();
    const auto a = make_blocks(table("a"), 1);
    sql::Connection locker(target.options.target);
    std::vector<std::thread::id> told;
    target.sink->while_waiting([&] {
        told.push_back(std::this_thread::get_id());
        if (told.size() == 3) locker.exec("COMMIT");
    });
    target.sink->begin_snapshot(begin_of(1), {a.relation}, at_seq(5));
    locker.exec("BEGIN; LOCK TABLE public.a");
    target.sink->copy(a.at(0, 6));
    target.sink->end_snapshot({}, at_seq(7));
    REQUIRE(told.size() >= 3);
    CHECK(std::all_of(told.begin(), told.end(), [](auto id) { return id == std::this_thread::get_id(); }));
    CHECK(target.scalar("SELECT count(*) FROM a") == "100");
}

TEST_CASE("columns the target computes are left out of the copy") {
    PostgresTarget target;
    target.sql("CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY, v text GENERATED ALWAYS AS ('g') STORED)");
    target.open();
    const auto a = make_blocks(table("a"), 2);
    target.sink->begin_snapshot(begin_of(1), {a.relation}, at_seq(5));
    for (std::size_t i = 0; i < 2; ++i) target.sink->copy(a.at(i, 6 + i));
    target.sink->end_snapshot({}, at_seq(8));
    CHECK(target.scalar("SELECT count(*) || ',' || max(id) FROM a WHERE v = 'g'") == "200,199");
}

TEST_CASE("a loader that fails stops the sink, naming the table") {
    PostgresTarget target;
    target.sql("CREATE TABLE a (id int, v text CHECK (v <> 'v\\1'))");
    target.open();
    const auto a = make_blocks(table("a"), 2);
    target.sink->begin_snapshot(begin_of(1), {a.relation}, at_seq(5));
    target.sink->copy(a.at(0, 6));
    try {
        target.sink->copy(a.at(1, 7));
        target.sink->end_snapshot({}, at_seq(8));
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.action() == Action::stop);
        CHECK(std::string(error.what()).find("unable to load rows into 'public.a'") != std::string::npos);
    }
    target.sink.reset();
    CHECK(target.scalar("SELECT count(*) % 100 FROM a") == "0");
}

TEST_CASE("a stop ends a load at once") {
    PostgresTarget target;
    target.sql("CREATE TABLE a (id int, v text)");
    target.open();
    const auto a = make_blocks(table("a"), 1);
    target.sink->begin_snapshot(begin_of(1), {a.relation}, at_seq(5));
    target.sink->copy(a.at(0, 6));
    target.stop.request_stop();
    CHECK_THROWS_AS(target.sink->end_snapshot({}, at_seq(7)), Interrupted);
}

TEST_CASE("snapshot rows that went through rules are applied as changes") {
    PostgresTarget target;
    target.sql("CREATE TABLE a (id int, v text); CREATE TABLE b (id int, v text)");
    target.open();
    const auto a = make_blocks(table("a"), 2);
    const auto masked = table("b");
    target.sink->begin_snapshot(begin_of(1), {a.relation, masked}, at_seq(5));
    target.sink->copy(a.at(0, 6));
    SinkFeed feed;
    feed.resume(at_seq(6));
    auto& batch = feed.insert(masked, {text("1"), text("m")}).complete();
    for (Change& change : batch.changes) change.snapshot = true;
    target.sink->apply(batch);
    const auto state = target.open();
    CHECK(state->loading_epoch == 1);
    CHECK(state->checkpoint == batch.upto);
    target.sink->copy(a.at(1, 8));
    target.sink->end_snapshot({}, at_seq(9));
    CHECK(target.scalar("SELECT count(*) FROM a") == "200");
    CHECK(target.scalar("SELECT count(*) FROM b") == "1");
}
