// The set-based way: chunks, thresholds, and what makes it cut a batch or give way.
#include <doctest/doctest.h>

#include "tests/live/postgres_sink_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

RelationPtr items() { return make_relation("public", "t", {"id integer*", "a text", "b text"}); }

struct Sets : PostgresTarget {
    SinkFeed feed;

    explicit Sets(const std::string& statements = "CREATE TABLE t (id int PRIMARY KEY, a text, b text)") {
        sql(statements);
        open();
    }
    std::size_t fallbacks() const {
        std::size_t count = 0;
        for (const auto& line : log) count += line.find("row by row") != std::string::npos ? 1 : 0;
        return count;
    }
};

}  // namespace

TEST_CASE("every number of rows, from one statement a row to COPY") {
    for (const int rows : {1, 3, 4, 999, 1000, 1001, 1999, 2000, 2500}) {
        CAPTURE(rows);
        Sets target;
        const auto table = items();
        const auto each = [&](auto&& change) {
            for (int i = 0; i < rows; ++i) {
                const std::string id = std::to_string(i);
                change(id, i % 3 == 0 ? null_value : text("x\t\\N\n'" + id), i);
            }
            target.sink->apply(target.feed.complete());
        };
        each([&](const std::string& id, const Value& a, int) {
            target.feed.insert(table, {text(id), a, text("long")});
        });
        CHECK(target.scalar(
                  "SELECT count(*) FROM t WHERE a = E'x\\t\\\\N\\n''' || id AND b = 'long' AND id % 3 <> 0 OR a "
                  "IS NULL AND id % 3 = 0") == std::to_string(rows));
        each([&](const std::string& id, const Value&, int i) {
            target.feed.update(table, {text(id), text("new"), i % 2 == 0 ? unchanged_value : text("B")});
        });
        CHECK(target.scalar(
                  "SELECT count(*) FROM t WHERE a = 'new' AND b = CASE WHEN id % 2 = 0 THEN 'long' ELSE 'B' END") ==
              std::to_string(rows));
        each([&](const std::string& id, const Value&, int) {
            target.feed.remove(table, OldRow::key, {text(id), null_value, null_value});
        });
        CHECK(target.scalar("SELECT count(*) FROM t") == "0");
        CHECK(target.fallbacks() == 0);
    }
}

TEST_CASE("updates in pieces of a transaction, and one whose row is not there") {
    for (const bool first_piece : {true, false}) {
        CAPTURE(first_piece);
        Sets target;
        const auto table = items();
        const auto updates = [&](const char* a) {
            for (const char* id : {"1", "2", "3", "4", "5"})
                target.feed.update(table, {text(id), text(a), unchanged_value});
        };
        target.sql("INSERT INTO t SELECT i, 'old', 'long' FROM generate_series(1, 5) AS i");
        if (!first_piece) {
            updates("older");
            target.sink->apply(target.feed.piece());
            CHECK(target.fallbacks() == 0);
        }
        updates("new");
        target.feed.update(table, {text("6"), text("new"), text("long")});
        target.sink->apply(target.feed.piece());
        CHECK(target.fallbacks() == 1);
        target.feed.update(table, {text("1"), text("last"), unchanged_value});
        target.sink->apply(target.feed.complete());
        CHECK(target.scalar("SELECT string_agg(a || ' ' || b, ', ' ORDER BY id) FROM t") ==
              "last long, new long, new long, new long, new long, new long");
    }
}

TEST_CASE("rows larger than a statement should be") {
    Sets target;
    const auto table = items();
    const std::string large(700 * 1024, 'x');
    for (int i = 0; i < 7; ++i) {
        const std::string id = std::to_string(i);
        target.feed.insert(table, {text(id), text(large), null_value});
    }
    target.sink->apply(target.feed.complete());
    CHECK(target.scalar("SELECT sum(length(a)) FROM t") == std::to_string(7 * large.size()));
    CHECK(target.fallbacks() == 0);
}

TEST_CASE("a table that changes within a batch") {
    Sets target;
    const auto before = make_relation("public", "t", {"id integer*", "a text"});
    const auto after = items();
    target.feed.insert(before, {text("1"), text("x")}).insert(before, {text("2"), text("y")});
    target.feed.next_transaction();
    target.feed.update(after, {text("1"), text("x"), text("new")})
        .remove(after, OldRow::key, {text("2"), null_value, null_value});
    target.sink->apply(target.feed.complete());
    CHECK(target.rows("SELECT * FROM t") == Lines{"1|x|new"});
    CHECK(target.fallbacks() == 0);
}

TEST_CASE("a partition and its root, written in one batch") {
    Sets target(
        "CREATE TABLE t (id int PRIMARY KEY, a text, b text) PARTITION BY RANGE (id); CREATE TABLE leaf PARTITION OF "
        "t FOR VALUES FROM (0) TO (100)");
    const auto root = items();
    const auto leaf = make_relation("public", "leaf", {"id integer*", "a text", "b text"});
    target.feed.insert(root, {text("1"), text("r"), null_value}).update(leaf, {text("1"), text("l"), null_value});
    target.feed.update(root, {text("1"), unchanged_value, text("r")})
        .remove(leaf, OldRow::key, {text("1"), null_value, null_value});
    target.feed.insert(root, {text("1"), text("again"), null_value});
    target.sink->apply(target.feed.complete());
    CHECK(target.rows("SELECT id, a FROM t") == Lines{"1|again"});
    CHECK(target.fallbacks() == 0);
    target.sink->apply(target.feed.insert(root, {text("1"), text("over"), null_value}).complete());
    CHECK(target.rows("SELECT id, a FROM t") == Lines{"1|over"});
}

TEST_CASE("a truncate in the middle keeps its place") {
    Sets target;
    const auto table = items();
    target.feed.insert(table, {text("1"), text("a"), null_value}).truncate({table});
    target.feed.insert(table, {text("2"), text("b"), null_value});
    target.sink->apply(target.feed.complete());
    CHECK(target.rows("SELECT id FROM t") == Lines{"2"});
    CHECK(target.fallbacks() == 0);
}

TEST_CASE("a table whose inserts meet rows is expected to do so again") {
    Sets target;
    const auto table = items();
    target.sql("INSERT INTO t SELECT i, 'old', 'old' FROM generate_series(1, 20) i");
    for (int batch = 0; batch < 2; ++batch) {
        for (int i = 1; i <= 10; ++i) {
            const std::string id = std::to_string(batch * 10 + i);
            target.feed.insert(table, {text(id), text("new"), null_value});
        }
        target.sink->apply(target.feed.complete());
    }
    CHECK(target.scalar("SELECT count(*) FROM t WHERE a = 'new' AND b IS NULL") == "20");
    CHECK(target.fallbacks() == 1);
    target.sink->close();
    CHECK(target.log.back().find("20 inserts found a row and updated it") != std::string::npos);
}

TEST_CASE("a target table altered under way") {
    Sets target;
    const auto table = items();
    const auto write = [&](const char* id) {
        target.sink->apply(target.feed.insert(table, {text(id), text("1"), null_value}).complete());
    };
    write("1");
    SUBCASE("its primary key becomes larger and a column wider") {
        target.sql("ALTER TABLE t ALTER a TYPE int USING a::int, ADD own int DEFAULT 5");
        write("2");
        CHECK(target.rows("SELECT id, a, own FROM t ORDER BY id") == Lines{"1|1|5", "2|1|5"});
    }
    SUBCASE("it is dropped and made anew") {
        target.sql("DROP TABLE t; CREATE TABLE t (b text, a text, id bigint)");
        write("2");
        CHECK(target.rows("SELECT id FROM t") == Lines{"2"});
    }
    SUBCASE("a column goes") {
        target.sql("ALTER TABLE t DROP b");
        try {
            write("2");
            FAIL("no error");
        } catch (const Error& error) {
            CHECK(std::string(error.what()).find("has no column 'b'") != std::string::npos);
        }
    }
}

TEST_CASE("foreign keys that are checked keep the source's order") {
    PostgresTarget target;
    const std::string role = "plain_" + target.database;
    target.sql("CREATE ROLE " + role + " LOGIN; GRANT ALL ON DATABASE " + target.database + " TO " + role +
               "; GRANT ALL ON SCHEMA public TO " + role + "; SET ROLE " + role +
               "; CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p)");
    target.options.target.user = role;
    target.open();
    const auto p = make_relation("public", "p", {"id integer*"});
    const auto c = make_relation("public", "c", {"id integer*", "p integer"});
    SinkFeed feed;
    for (const char* id : {"1", "2", "3", "4", "5"}) feed.insert(p, {text(id)}).insert(c, {text(id), text(id)});
    feed.remove(c, OldRow::key, {text("1"), null_value}).remove(p, OldRow::key, {text("1")});
    feed.insert(p, {text("1")}).insert(c, {text("1"), text("1")});
    target.sink->apply(feed.complete());
    CHECK(target.scalar("SELECT count(*) FROM c JOIN p ON c.p = p.id") == "5");
    for (const auto& line : target.log) CHECK(line.find("row by row") == std::string::npos);
}

TEST_CASE("many updates of rows that are not there, in a later piece of a transaction") {
    PostgresTarget target;
    target.sql("CREATE TABLE t (id int PRIMARY KEY, v text)");
    target.open();
    const auto table = make_relation("public", "t", {"id integer*", "v text"});
    SinkFeed feed;
    target.sink->apply(feed.insert(table, {text("1"), text("a")}).piece());
    for (const char* id : {"2", "3", "4", "5", "6"}) feed.update(table, {text(id), text("b")});
    target.sink->apply(feed.piece());
    target.sink->apply(feed.insert(table, {text("7"), text("c")}).complete());
    CHECK(target.scalar("SELECT string_agg(id || v, ' ' ORDER BY id) FROM t") == "1a 2b 3b 4b 5b 6b 7c");
}
