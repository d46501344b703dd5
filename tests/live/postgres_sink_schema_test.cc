// --target-sync-schema and the sequences.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "stream/waits.h"
#include "tests/live/postgres_sink_fixture.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

constexpr const char* operator_class = R"(
CREATE SCHEMA IF NOT EXISTS used;
CREATE FUNCTION used.compare(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT $1 - $2 $$;
CREATE OPERATOR CLASS used.by_difference FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
    OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 used.compare(int, int);
CREATE INDEX line_d ON line (q used.by_difference);
)";

constexpr const char* source_schema = R"(
CREATE EXTENSION hstore;
CREATE SCHEMA "My shop";
CREATE TYPE "My shop".mood AS ENUM ('ok', 'bad');
CREATE DOMAIN "My shop".code AS text CHECK (VALUE ~ '^[a-z]+$');
CREATE FUNCTION "My shop".next_code() RETURNS text LANGUAGE sql AS $$ SELECT 'abc' $$;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at = now(); RETURN NEW; END $$;
CREATE SEQUENCE shared START 5;
CREATE TABLE "My shop"."Order" (id bigserial PRIMARY KEY, m "My shop".mood, c "My shop".code DEFAULT "My shop".next_code(),
    n int DEFAULT nextval('shared'), h public.hstore, at timestamptz);
CREATE INDEX order_m ON "My shop"."Order" (m);
CREATE INDEX order_c ON "My shop"."Order" (c);
CREATE TRIGGER stamp BEFORE INSERT ON "My shop"."Order" FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TABLE line (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, o bigint REFERENCES "My shop"."Order", q int UNIQUE);
CREATE TABLE part (id int, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE part_2026 PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE unwanted (id int);
CREATE VIEW seen AS SELECT id FROM unwanted;
CREATE FUNCTION of_table(unwanted) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
SELECT setval('"My shop"."Order_id_seq"', 41), setval('shared', 77), setval('line_id_seq', 9);
)";

struct Path {  // put back whatever happens
    std::string before = std::getenv("PATH");
    ~Path() { ::setenv("PATH", before.c_str(), 1); }
};

struct Synced : PostgresTarget {
    std::string source_database = server.create_database();
    RelationPtr order = make_relation("My shop", "Order", {"id bigint*", "m mood"});
    RelationPtr line = make_relation("public", "line", {"id integer*", "o bigint", "q integer"});
    RelationPtr part = make_relation("public", "part_2026", {"id integer*", "at date*"});

    Synced() {
        server.sql(source_database, source_schema);
        options.sync_schema = true;
        options.source = server.connect(source_database);
        options.source.role = "source";
    }

    SnapshotBegin begin() const {
        SnapshotBegin begin;
        begin.epoch = 1;
        begin.consistent_point = Lsn{9};
        begin.tables = {*order, *line, *part};
        return begin;
    }
};

}  // namespace

TEST_CASE("tables come before the load, the rest after it, and sequences with it") {
    Synced target;
    target.open();
    target.sink->begin_snapshot(target.begin(), {target.order, target.line, target.part}, {StreamSeq{5}, {Lsn{9}, 0}});
    CHECK(target.scalar("SELECT count(*) FROM pg_tables WHERE schemaname IN ('public', 'My shop')") == "4");
    CHECK(target.scalar("SELECT count(*) FROM pg_indexes WHERE schemaname IN ('public', 'My shop')") == "0");
    CopyBlock block;
    block.relation = target.order.get();
    block.relation_owner = target.order;
    block.text = "7\tok\n8\t\\N\n";
    block.first_seq = block.last_seq = StreamSeq{6};
    target.sink->copy(block);
    target.sink->end_snapshot({}, {StreamSeq{7}, {Lsn{9}, 0}});
    CHECK(target.rows(
              "SELECT indexname FROM pg_indexes WHERE schemaname IN ('public', 'My shop') ORDER BY indexname COLLATE "
              "\"C\"") ==
          Lines{"Order_pkey", "line_pkey", "line_q_key", "order_c", "order_m", "part_2026_pkey", "part_pkey"});
    CHECK(target.scalar("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = 'line'::regclass") ==
          "1");
    CHECK(target.scalar("SELECT count(*) FROM pg_trigger WHERE tgname = 'stamp'") == "1");
    CHECK(target.scalar("SELECT count(*) FROM pg_class WHERE relname IN ('unwanted', 'seen')") == "0");
    CHECK(target.scalar("SELECT nextval('\"My shop\".\"Order_id_seq\"')") == "42");
    CHECK(target.scalar("SELECT nextval('shared')") == "78");
    CHECK(target.scalar("SELECT nextval('line_id_seq')") == "10");
    CHECK(target.scalar("SELECT count(*) FROM pg_stats WHERE tablename = 'Order' AND attname = 'id'") == "1");

    SUBCASE("and doing it again changes nothing") {
        target.options.worker = "again";
        target.options.existing_rows = ExistingRows::truncate;
        target.open();
        target.sink->begin_snapshot(target.begin(), {target.order, target.line, target.part},
                                    {StreamSeq{5}, {Lsn{9}, 0}});
        target.sink->end_snapshot({}, {StreamSeq{7}, {Lsn{9}, 0}});
        CHECK(target.scalar("SELECT count(*) FROM pg_indexes WHERE schemaname IN ('public', 'My shop')") == "7");
    }
}

TEST_CASE("only what the tables need is made") {
    Synced target;
    // pg_dump alone knows the operator class.
    SUBCASE("from definitions") {}
    SUBCASE("from pg_dump") {
        target.options.schema_from = SchemaFrom::pg_dump;
        target.server.sql(target.source_database, operator_class);
    }
    target.server.sql(target.source_database, R"(
CREATE EXTENSION pg_trgm;
CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;
CREATE USER MAPPING FOR postgres SERVER elsewhere OPTIONS (password 'secret');
CREATE SCHEMA unused;
CREATE TYPE unused.t AS ENUM ('x');
CREATE FUNCTION unused.f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
CREATE SCHEMA IF NOT EXISTS used;
CREATE COLLATION used.c (provider = libc, locale = 'C');
CREATE FUNCTION used.low(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower($1) $$;
CREATE FUNCTION used.positive(int) RETURNS bool LANGUAGE sql IMMUTABLE AS $$ SELECT $1 > 0 $$;
CREATE TYPE used.pair AS (a "My shop".code, b int);
CREATE DOMAIN used.count AS int CHECK (used.positive(VALUE));
ALTER TABLE line ADD p used.pair[], ADD n used.count, ADD t text COLLATE used.c, ADD CHECK (used.low(t) <> 'x');
CREATE INDEX line_low ON line (used.low(t));
)");
    target.open();
    target.sink->begin_snapshot(target.begin(), {target.line}, {StreamSeq{5}, {Lsn{9}, 0}});
    target.sink->end_snapshot({}, {StreamSeq{7}, {Lsn{9}, 0}});
    const bool dumped = target.options.schema_from == SchemaFrom::pg_dump;
    CHECK(target.scalar("SELECT count(*) FROM pg_indexes WHERE tablename = 'line'") == (dumped ? "4" : "3"));
    CHECK(target.scalar("SELECT count(*) FROM pg_foreign_server") == "0");
    CHECK(target.scalar("SELECT string_agg(extname, ' ') FROM pg_extension") == "plpgsql");
    CHECK(target.scalar("SELECT string_agg(nspname, ' ' ORDER BY oid) FROM pg_namespace WHERE oid >= 16384") ==
          "pgsluice My shop used");
    CHECK(target.scalar("SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc WHERE oid >= 16384") ==
          (dumped ? "compare low positive" : "low positive"));
}

TEST_CASE("what tables need and no definition can be read of is named, and can be had from pg_dump or by hand") {
    Synced target;
    target.server.sql(target.source_database, operator_class);
    target.open();
    try {
        target.sink->begin_snapshot(target.begin(), {target.line}, {StreamSeq{5}, {Lsn{9}, 0}});
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(
            std::string(error.what()) ==
            "unable to create the source's tables on the target: they need OPERATOR CLASS 'used.by_difference', which "
            "cannot be read from the catalog");
        CHECK(error.hint() == "Create it on the target, or start the worker with --target-schema-from pg_dump.");
    }
    CHECK(target.scalar("SELECT to_regclass('line') IS NULL") == "t");
    SUBCASE("pg_dump") { target.options.schema_from = SchemaFrom::pg_dump; }
    SUBCASE("by hand") {
        const std::string all = operator_class;
        target.sql(all.substr(0, all.find("CREATE INDEX")));
    }
    target.open();
    target.sink->begin_snapshot(target.begin(), {target.line}, {StreamSeq{5}, {Lsn{9}, 0}});
    target.sink->end_snapshot({}, {StreamSeq{7}, {Lsn{9}, 0}});
    CHECK(target.scalar("SELECT count(*) FROM pg_indexes WHERE indexname = 'line_d'") == "1");
}

TEST_CASE("an extension that the target cannot have is named with the reason") {
    Synced target;
    target.options.schema_from = SchemaFrom::pg_dump;
    target.open();
    struct Path {  // whatever happens
        std::string before = std::getenv("PATH");
        ~Path() { ::setenv("PATH", before.c_str(), 1); }
    } const path;
    const std::string directory = temporary_directory("pg_dump");
    REQUIRE(
        run({"/bin/sh", "-c",
             "printf '#!/bin/sh\\nPATH=\"%s\" pg_dump \"$@\" | sed \"s/EXISTS hstore/EXISTS absent/\"' \"$PATH\" > " +
                 directory + "/pg_dump && chmod +x " + directory + "/pg_dump"})
            .code == 0);
    ::setenv("PATH", (directory + ":" + path.before).c_str(), 1);
    CHECK_THROWS_WITH_AS(target.sink->begin_snapshot(target.begin(), {target.order}, {StreamSeq{5}, {Lsn{9}, 0}}),
                         doctest::Contains("the target has no such table"), Error);
    const auto logged = [&](const std::string& part) {
        return std::any_of(target.log.begin(), target.log.end(),
                           [&](const std::string& line) { return line.find(part) != std::string::npos; });
    };
    const bool looks_first = target.server.version() >= 150000;
    CHECK(logged(std::string("unable to create EXTENSION 'hstore' on the target: ") +
                 (looks_first ? "extension \"absent\" is not available (SQLSTATE 0A000)"
                              : "could not open extension control file")));
    CHECK(logged("unable to create TABLE 'Order' on the target: type \"public.hstore\" does not exist"));
}

TEST_CASE("who keeps a table's schema from being read is named, and the wait has an end") {
    Synced target;
    SUBCASE("from definitions") {}
    SUBCASE("from pg_dump") { target.options.schema_from = SchemaFrom::pg_dump; }
    target.options.lock_wait_ms = 2000;
    target.open();
    sql::Connection locker(target.options.source);
    locker.exec("SET application_name = 'the locker'; BEGIN; LOCK TABLE public.line");
    int told = 0;
    target.sink->while_waiting([&] { ++told; });
    try {
        target.sink->begin_snapshot(target.begin(), {target.line}, {StreamSeq{5}, {Lsn{9}, 0}});
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.action() == Action::retry);
        CHECK(std::string(error.what()).find("(the locker) has locked 'public.line'") != std::string::npos);
        CHECK(error.hint().find("pg_cancel_backend") != std::string::npos);
    }
    CHECK(told >= 2);
    locker.exec("COMMIT");
    target.open();
    target.sink->begin_snapshot(target.begin(), {target.line}, {StreamSeq{5}, {Lsn{9}, 0}});
    CHECK(target.scalar("SELECT count(*) FROM line") == "0");
}

TEST_CASE("sequences: of a partition's parent, and one that is higher and was never used") {
    Synced target;
    target.server.sql(
        target.source_database,
        "CREATE TABLE event (id int GENERATED BY DEFAULT AS IDENTITY, n int DEFAULT nextval('shared'), at "
        "date) PARTITION BY RANGE (at); CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM "
        "('2026-01-01') TO ('2027-01-01'); SELECT setval('event_id_seq', 41)");
    target.sql("CREATE SEQUENCE shared START 1000");
    const auto event = make_relation("public", "event_2026", {"id integer", "n integer", "at date"});
    target.open();
    target.sink->begin_snapshot(target.begin(), {event}, {StreamSeq{5}, {Lsn{9}, 0}});
    target.sink->end_snapshot({}, {StreamSeq{7}, {Lsn{9}, 0}});
    CHECK(target.scalar("SELECT nextval('event_id_seq')") == "42");
    CHECK(target.scalar("SELECT nextval('shared')") == "1000");
}

TEST_CASE("without a snapshot a table is made when its first change comes") {
    Synced target;
    target.open();
    SinkFeed feed;
    target.sink->apply(feed.insert(target.order, {text("1"), text("bad")}).complete());
    CHECK(target.scalar("SELECT m FROM \"My shop\".\"Order\"") == "bad");
    CHECK(target.scalar("SELECT count(*) FROM pg_indexes WHERE schemaname = 'My shop'") == "3");
    target.sink->apply(feed.insert(target.line, {text("1"), text("1"), text("1")}).complete());
    CHECK(target.scalar("SELECT count(*) FROM line") == "1");
}

TEST_CASE("a table made in the middle of a transaction gets its key to one written before when that ends") {
    Synced target;
    target.open();
    SinkFeed feed;
    target.sink->apply(feed.insert(target.order, {text("1"), text("bad")}).piece());
    target.sink->apply(feed.insert(target.line, {text("1"), text("1"), text("1")}).complete());
    CHECK(target.scalar("SELECT count(*) FROM line JOIN \"My shop\".\"Order\" o ON o.id = line.o") == "1");
    CHECK(target.scalar("SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == "1");
}

TEST_CASE("a routed table stays without the indexes of its namesake in the source, also after a restart") {
    Synced target;
    target.server.sql(target.source_database,
                      "CREATE TABLE users (id int PRIMARY KEY, n int); CREATE TABLE customers (id int, n int UNIQUE)");
    Relation routed = *make_relation("public", "customers", {"id integer*", "n integer"});
    routed.oid = static_cast<Oid>(
        std::stoul(target.server.scalar(target.source_database, "SELECT 'users'::regclass::oid::text")));
    for (Column& column : routed.columns) column.type_oid = 23;
    const auto users = std::make_shared<const Relation>(routed);
    target.open();
    target.sink->begin_snapshot(target.begin(), {users}, {StreamSeq{5}, {Lsn{9}, 0}});
    target.open();
    target.sink->begin_snapshot(target.begin(), {users}, {StreamSeq{5}, {Lsn{9}, 0}});
    target.sink->end_snapshot({}, {StreamSeq{7}, {Lsn{9}, 0}});
    CHECK(target.rows("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'") == Lines{"customers_pkey"});
}

TEST_CASE("columns of a partition that do not come allow NULL, and those of a table that was there stay as they are") {
    Synced target;
    target.server.sql(target.source_database,
                      "ALTER TABLE part ADD secret text NOT NULL, ADD more text NOT NULL DEFAULT '-'; "
                      "ALTER TABLE line ADD secret text NOT NULL");
    target.sql("CREATE TABLE line (id int, o bigint, q int, secret text NOT NULL)");
    target.open();
    target.sink->begin_snapshot(target.begin(), {target.line, target.part}, {StreamSeq{5}, {Lsn{9}, 0}});
    target.sink->end_snapshot({}, {StreamSeq{7}, {Lsn{9}, 0}});
    CHECK(
        target.rows("SELECT attrelid::regclass || ' ' || attname FROM pg_attribute WHERE attname IN ('secret', 'more', "
                    "'at') AND attnotnull AND attrelid IN (SELECT oid FROM pg_class WHERE relkind IN ('r', 'p')) "
                    "ORDER BY 1") == Lines{"line secret", "part at", "part_2026 at"});
    CHECK(target.scalar("SELECT count(*) FROM pg_attribute WHERE attname = 'more' AND atthasdef") == "0");
    CHECK(target.scalar("SELECT count(*) FROM pg_inherits WHERE inhrelid = 'part_2026'::regclass") == "1");
}

TEST_CASE("pg_dump missing or too old is said plainly") {
    Synced target;
    target.options.schema_from = SchemaFrom::pg_dump;
    target.open();
    const Path path;
    const std::string directory = temporary_directory("pg_dump");
    std::string expected = "unable to run 'pg_dump'";
    SUBCASE("missing") {}
    SUBCASE("too old") {
        expected = "pg_dump is version 9";
        REQUIRE(run({"/bin/sh", "-c",
                     "printf '#!/bin/sh\\necho pg_dump 9.6' > " + directory + "/pg_dump && chmod +x " + directory +
                         "/pg_dump"})
                    .code == 0);
    }
    ::setenv("PATH", directory.c_str(), 1);
    try {
        target.sink->begin_snapshot(target.begin(), {target.order}, {StreamSeq{5}, {Lsn{9}, 0}});
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.action() == Action::stop);
        CHECK(std::string(error.what()).find(expected) != std::string::npos);
        CHECK(error.hint().find("postgresql-client") != std::string::npos);
    }
}

TEST_CASE("pg_dump on a source that stops answering is waited for with a word, and can be stopped; its end is said") {
    Synced target;
    Waits waits([&](LogLevel, std::string_view text) { target.log.emplace_back(text); });
    target.options.schema_from = SchemaFrom::pg_dump;
    target.options.source.on_long_wait = [&](const sql::LongWaitReport& wait) {
        if (wait.text.empty())
            waits.is_over(wait.wait, wait.waited);
        else
            waits.goes_on(wait.wait, wait.whom, wait.text, wait.waited);
    };
    target.open();
    const Path path;
    const std::string directory = temporary_directory("pg_dump");
    const std::string answers = directory + "/answers";
    std::ofstream(directory + "/pg_dump") << "#!/bin/sh\n[ \"$1\" = --version ] && exec echo pg_dump 99\nuntil [ -e '"
                                          << answers << "' ]; do sleep 0.1; done\n";
    REQUIRE(::chmod((directory + "/pg_dump").c_str(), 0755) == 0);
    ::setenv("PATH", (directory + ":" + path.before).c_str(), 1);
    const auto said = [&](const std::string& part) {
        return std::any_of(target.log.begin(), target.log.end(),
                           [&](const std::string& line) { return contains(line, part); });
    };
    const auto begin = [&] { target.sink->begin_snapshot(target.begin(), {target.line}, {StreamSeq{5}, {Lsn{9}, 0}}); };
    const std::string begun = "still waiting for pg_dump on the source at ";
    SUBCASE("stopped") {
        target.sink->while_waiting([&] {
            if (said(begun)) target.stop.request_stop();
        });
        CHECK_THROWS_AS(begin(), Interrupted);
    }
    SUBCASE("it answers after all") {
        target.sink->while_waiting([&] {
            if (!said(begun) || said("no longer waiting")) return;
            CHECK(contains(waits.longest(), "pg_dump on the source at "));
            std::ofstream(answers) << "now";
        });
        try {
            begin();
        } catch (const Error&) {  // it has described no table
        }
    }
    CHECK(said("no longer waiting for pg_dump on the source at "));
    CHECK(waits.longest().empty());
}

TEST_CASE("sequences follow at the next start when the worker was killed, and when it is asked to stop") {
    PostgresTarget target;
    target.sql("CREATE TABLE a (id serial PRIMARY KEY)");
    target.open();
    SinkFeed feed;
    target.sink->apply(feed.insert(make_relation("public", "a", {"id integer*"}), {text("30")}).complete());
    SUBCASE("killed") {
        target.open();
        target.sink->flush();
    }
    SUBCASE("killed, and asked to stop before it has looked") {
        target.open();
        target.stop.request_stop();
        target.sink->close();
        target.sink.reset();
    }
    SUBCASE("asked to stop") {
        target.stop.request_stop();
        target.sink->close();
        target.sink.reset();
    }
    CHECK(std::stoi(target.scalar("SELECT nextval('a_id_seq')")) > 30);
}

TEST_CASE("sequences of partitions' parents, those that count down, and those that could not be set before") {
    PostgresTarget target;
    target.sql(
        "CREATE TABLE p (id bigint GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (id)) PARTITION BY RANGE (id); "
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (100); CREATE TABLE p1b (id bigint NOT NULL); "
        "ALTER TABLE p ATTACH PARTITION p1b FOR VALUES FROM (100) TO (200); "
        "CREATE TABLE down (id int GENERATED ALWAYS AS IDENTITY (INCREMENT -1) PRIMARY KEY)");
    target.open();
    SinkFeed feed;
    feed.insert(make_relation("public", "p1b", {"id bigint*"}), {text("120")});
    feed.insert(make_relation("public", "p1", {"id bigint*"}), {text("20")});
    feed.insert(make_relation("public", "down", {"id integer*"}), {text("-40")});
    target.sink->apply(feed.complete());
    target.sink->close();
    CHECK(target.scalar("SELECT nextval('p_id_seq')") == "121");
    CHECK(target.scalar("SELECT nextval('down_id_seq')") == "-41");
}

TEST_CASE("sequences of the target follow its rows") {
    PostgresTarget target;
    target.sql(
        "CREATE TABLE a (id serial PRIMARY KEY, v int); CREATE TABLE b (v int, id int GENERATED ALWAYS AS IDENTITY "
        "PRIMARY KEY); SELECT setval('b_id_seq', 500)");
    target.open();
    SinkFeed feed;
    feed.insert(make_relation("public", "a", {"id integer*"}), {text("30")});
    feed.insert(make_relation("public", "b", {"id integer*"}), {text("40")});
    target.sink->apply(feed.complete());
    target.sink->close();
    CHECK(target.scalar("SELECT nextval('a_id_seq')") == "31");
    CHECK(target.scalar("SELECT nextval('b_id_seq')") == "501");
}
