// --on-missing-column: columns that are added on the source only.
#include <doctest/doctest.h>

#include "tests/live/postgres_sink_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

struct Growing : Pipeline {
    explicit Growing(const std::string& what = "add", const std::string& create = "CREATE TABLE t (id int PRIMARY KEY)")
        : policy{"--on-missing-column", what} {
        on_both(
            "CREATE SCHEMA shop; CREATE TYPE shop.mood AS ENUM ('good', 'bad'); CREATE DOMAIN shop.short AS "
            "varchar(4) CHECK (VALUE <> '')");
        on_both(create);
        start_replicator();
        start_worker(policy);
        settle();
    }
    std::string columns(bool source) {
        const std::string query =
            "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM "
            "pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped";
        return source ? source_scalar(query) : target_scalar(query);
    }
    std::string stops() {
        CHECK(worker().wait(std::chrono::seconds(60)) == 1);
        return worker().err();
    }
    void again() { start_worker(policy); }
    const std::vector<std::string> policy;
};

}  // namespace

TEST_CASE("added columns have the source's types and lengths") {
    Growing group;
    group.on_source("INSERT INTO t VALUES (1)");
    group.on_source(
        "ALTER TABLE t ADD a varchar(20), ADD b numeric(10,2), ADD c char(3), ADD d varchar(5)[], ADD e shop.mood, "
        "ADD f timestamp(3), ADD g interval second(2), ADD h bit(4), ADD i varbit(9), ADD \"Odd \"\"name\" \"char\", "
        "ADD j shop.short, ADD k shop.mood[], ADD l timestamptz, ADD m char, ADD n numeric");
    group.on_source(
        "INSERT INTO t VALUES (2, 'a', 1.5, 'c', '{x,NULL}', 'bad', '2026-01-02 03:04:05.678', '1.25', '1010', '1', "
        "'q', "
        "'jj', '{good}', '2026-01-02Z', 'm', 1e30)");
    group.check_equal({"t"});
    CHECK(group.columns(true) == group.columns(false));
    CHECK(contains(group.worker().err(), "added column 'a' (character varying(20)) to the target's table 'public.t'"));
    group.stop();
}

TEST_CASE("a renamed column is not taken for an added one, nor left out") {
    std::string what;
    bool restart = false;
    SUBCASE("added, its number is known") { what = "add"; }
    SUBCASE("ignored, its number is known") { what = "ignore"; }
    SUBCASE("added, the worker was started since") {
        what = "add";
        restart = true;
    }
    Growing group(what, "CREATE TABLE t (id int PRIMARY KEY, email text)");
    group.on_source("INSERT INTO t VALUES (1, 'x')");
    group.settle();
    if (restart) group.stop_worker();
    group.on_source("ALTER TABLE t RENAME email TO mail");
    group.on_source("UPDATE t SET mail = 'z' WHERE id = 1");
    if (restart) group.again();
    const std::string last = group.stops();
    CHECK(contains(last, "it may be what 'email' was renamed to on the source"));
    group.on_target("ALTER TABLE " + said(hint_in(last), "\"public\".\"t\" RENAME", ". If"));
    group.again();
    group.check_equal({"t"});
    group.stop();
}

TEST_CASE("a column that may be new or renamed is added by hand") {
    Growing group("add", "CREATE TABLE t (id int PRIMARY KEY)");
    group.stop_worker();
    group.on_target("ALTER TABLE t ADD own int");
    group.on_source("ALTER TABLE t ADD new varchar(7)");
    group.on_source("INSERT INTO t VALUES (1, 'x')");
    group.again();
    const std::string hint = hint_in(group.stops());
    const std::string command = said(hint, "ALTER TABLE \"public\".\"t\" ADD COLUMN", ", with");
    CHECK(command == "ALTER TABLE \"public\".\"t\" ADD COLUMN \"new\" character varying(7)");
    group.on_target(command);
    group.again();
    group.settle();
    CHECK(group.target_scalar("SELECT string_agg(t::text, ' ') FROM t") == "(1,,x)");
    group.stop();
}

TEST_CASE("a column that the target cannot know is no rename where its number is new") {
    Growing group("add", "CREATE TABLE t (id int PRIMARY KEY, old text)");
    group.on_target("ALTER TABLE t ADD own int");
    group.on_source("INSERT INTO t VALUES (1, 'x')");
    group.settle();  // read after the next command, the first definition would have no numbers
    group.on_source("ALTER TABLE t DROP old, ADD new text");
    group.on_source("INSERT INTO t VALUES (2, 'y')");
    group.settle();
    CHECK(group.target_scalar("SELECT string_agg(t::text, ' ' ORDER BY id) FROM t") == "(1,x,,) (2,,,y)");
    CHECK(contains(group.worker().err(), "column 'old' no longer comes from the source"));
    group.stop();
}

TEST_CASE("columns that are left out stay so, and their key is not") {
    Growing group("ignore");
    group.on_source("ALTER TABLE t ADD a text, ADD b int");
    group.on_source("INSERT INTO t VALUES (1, 'x', 5)");
    group.on_source("UPDATE t SET a = 'y'");
    group.settle();
    CHECK(group.columns(false) == "id integer");
    CHECK(group.target_scalar("SELECT count(*) FROM t") == "1");
    CHECK(contains(group.worker().err(), "column 'b' is left out: the target's table 'public.t' has no such column"));
    group.on_source("ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (b)");
    group.on_source("INSERT INTO t VALUES (2, 'x', 6)");
    const std::string last = group.stops();
    CHECK(contains(last, "no column 'b', which is part of the key by which rows are found"));
    group.on_target(said(hint_in(last), "ALTER TABLE ", ", and give"));
    group.on_target("UPDATE t SET b = 5");
    group.again();
    group.settle();
    CHECK(group.target_scalar("SELECT string_agg(t::text, ' ' ORDER BY id) FROM t") == "(1,5) (2,6)");
    group.stop();
}

TEST_CASE("a column of a partition is added to its table") {
    Growing group("add",
                  "CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p PARTITION OF t FOR "
                  "VALUES FROM (0) TO (9)");
    group.on_source("ALTER TABLE t ADD a text");
    group.on_source("INSERT INTO t VALUES (1, 'x')");
    group.check_equal({"t"});
    group.stop();
}

TEST_CASE("a column of a table whose rows are found by all their values is not added") {
    Growing group("add", "CREATE TABLE t (v text); ALTER TABLE t REPLICA IDENTITY FULL");
    group.on_source("INSERT INTO t VALUES ('x')");
    group.settle();
    group.on_source("ALTER TABLE t ADD a int DEFAULT 5");
    group.on_source("UPDATE t SET v = 'y'");
    const std::string said_last = group.stops();
    CHECK(contains(said_last, "no column 'a', and rows are found by it"));
    CHECK(contains(hint_in(said_last), "ALTER TABLE \"public\".\"t\" ADD COLUMN \"a\" integer; then"));
    group.on_target("ALTER TABLE t ADD a int DEFAULT 5");
    group.again();
    group.check_equal({"t"});
    group.stop();
}

TEST_CASE("a type that only the source has") {
    Growing group;
    group.on_source("CREATE TYPE shop.colour AS ENUM ('red'); ALTER TABLE t ADD c shop.colour");
    group.on_source("INSERT INTO t VALUES (1, 'red')");
    const std::string said_last = group.stops();
    CHECK(contains(said_last, "no column 'c', and the target has no type 'shop.colour'"));
    CHECK(contains(hint_in(said_last), "Create the type on the target as it is on the source, then start the worker"));
    group.on_target("CREATE TYPE shop.colour AS ENUM ('red')");
    group.again();
    group.check_equal({"t"});
    group.stop();
}

TEST_CASE("a column is added in the middle of a transaction, as the table's owner") {
    PostgresTarget target;
    target.sql("CREATE ROLE owner_" + target.database + "; GRANT ALL ON SCHEMA public TO owner_" + target.database +
               "; SET ROLE owner_" + target.database + "; CREATE TABLE t (id int PRIMARY KEY)");
    target.options.on_missing_column = OnMissingColumn::add;
    target.open();
    SinkFeed feed;
    target.sink->apply(feed.insert(make_relation("public", "t", {"id integer*"}), {text("1")}).piece());
    const auto later = make_relation("public", "t", {"id integer*", "v text"});
    target.sink->apply(feed.insert(later, {text("2"), text("x")}).piece());
    CHECK(target.scalar("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0") == "1");
    target.sink->apply(feed.insert(later, {text("3"), text("y")}).complete());
    CHECK(target.rows("SELECT * FROM t ORDER BY id") == Lines{"1|", "2|x", "3|y"});
}
