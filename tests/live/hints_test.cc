// The hint that is given with a server's refusal: each is followed to the letter, and the same batch is then applied.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>

#include "sql/error.h"
#include "tests/live/postgres_sink_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// "id integer*, v text"
const RelationPtr relation_t = make_relation("public", "t", {"id integer*", "v text"});

Batch& one_row(SinkFeed& feed, const std::string& value = "x") {
    return feed.insert(relation_t, {text("1"), text(value)}).complete();
}

void apply_again(PostgresTarget& target, const std::string& value = "x") {
    target.open();
    SinkFeed feed;
    CHECK(target.failure(one_row(feed, value)) == "");
    target.sink->flush();
    CHECK(target.scalar("SELECT v FROM t") == value);
}

std::string role_of(const PostgresTarget& target) { return "plain_" + target.database; }

}  // namespace

TEST_CASE("a trigger of the target that names its table without a schema") {
    PostgresTarget target;
    target.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE log (id int); "
        "CREATE FUNCTION note(a int, b text) RETURNS void LANGUAGE plpgsql AS $$BEGIN INSERT INTO log VALUES (a); "
        "END$$; "
        "CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM public.note(new.id, new.v); "
        "RETURN new; END$$; "
        "CREATE TRIGGER log_it BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION log_it(); "
        "ALTER TABLE t ENABLE ALWAYS TRIGGER log_it");
    target.open();
    SinkFeed feed;
    std::string hint;
    CHECK(target.failure(one_row(feed), &hint).find(R"(relation "log" does not exist)") != std::string::npos);
    CAPTURE(hint);
    const std::string function = "public.note(integer,text)";
    REQUIRE(hint.find("ALTER FUNCTION " + function + " SET search_path = ") != std::string::npos);
    target.sql("ALTER FUNCTION " + function + " SET search_path = public");
    apply_again(target);
}

TEST_CASE("a privilege that the role lacks") {
    PostgresTarget target;
    target.as_plain_role("SELECT 1");
    target.sql("CREATE TABLE t (id int PRIMARY KEY, v text)");
    target.open();
    SinkFeed feed;
    std::string hint;
    CHECK(target.failure(one_row(feed), &hint).find("permission denied for table t") != std::string::npos);
    CHECK(hint == "Grant the role the privilege on the object that the message names.");
    target.sql("GRANT ALL ON t TO " + role_of(target));
    apply_again(target);
}

TEST_CASE("row security on the target's table") {
    PostgresTarget target;
    target.as_plain_role("SELECT 1");
    target.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v text); ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT ALL ON t TO " +
        role_of(target));
    target.open();
    SinkFeed feed;
    std::string hint;
    CHECK(target.failure(one_row(feed), &hint).find("row-level security") != std::string::npos);
    CAPTURE(hint);
    target.sql(said(hint, "ALTER ROLE ", ")"));
    apply_again(target);
}

TEST_CASE("a character that the target's encoding lacks") {
    PostgresTarget target;
    const auto make_database = [&](const std::string& encoding) {
        target.database = fmt::format("{}_{}", target.server.create_database(), encoding);
        target.server.sql("postgres", fmt::format("CREATE DATABASE \"{}\" TEMPLATE template0 ENCODING '{}' LOCALE 'C'",
                                                  target.database, encoding));
        target.options.target = target.server.connect(target.database);
        target.sql("CREATE TABLE t (id int PRIMARY KEY, v text)");
    };
    make_database("LATIN1");
    target.open();
    SinkFeed feed;
    std::string hint;
    CHECK(target.failure(one_row(feed, "10 €"), &hint)
              .find(R"(in encoding "UTF8" has no equivalent in encoding "LATIN1")") != std::string::npos);
    CAPTURE(hint);
    REQUIRE(hint.find("ENCODING 'UTF8'") != std::string::npos);
    make_database("UTF8");
    apply_again(target, "10 €");
}

namespace {

// Of a batch of its own, in a session of its own.
std::string hint_of(PostgresTarget& target, const std::function<Batch&(SinkFeed&)>& make) {
    target.open();
    SinkFeed feed;
    std::string hint;
    CHECK(target.failure(make(feed), &hint) != "");
    target.sink.reset();
    return hint;
}

void check_applies(PostgresTarget& target, const std::function<Batch&(SinkFeed&)>& make) {
    target.open();
    SinkFeed feed;
    CHECK(target.failure(make(feed)) == "");
    target.sink->flush();
}

void check_parks(PostgresTarget& target, const std::function<Batch&(SinkFeed&)>& make) {
    Parked parked;
    target.options.on_error = OnError::dead_letter;
    target.open(&parked);
    SinkFeed feed;
    CHECK(target.failure(make(feed)) == "");
    CHECK(parked.lines.size() == 1);
}

std::string hint_of_open(PostgresTarget& target) {
    try {
        target.open();
    } catch (const Error& error) {
        return error.hint();
    }
    return "opened";
}

}  // namespace

TEST_CASE("rows that come before those they refer to") {
    PostgresTarget target;
    target.as_plain_role(
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, a int REFERENCES a)");
    const auto t = make_relation("public", "t", {"id integer*", "a integer"});
    const auto a = make_relation("public", "a", {"id integer*"});
    const auto copies = [&] {
        try {
            target.open();
            SnapshotBegin begin;
            begin.epoch = 1;
            begin.consistent_point = Lsn{500};
            target.sink->begin_snapshot(begin, {t, a}, {StreamSeq{5}, {Lsn{500}, 0}});
            CopyBlock block;
            block.relation = t.get();
            block.relation_owner = t;
            block.text = "1\t1\n";
            block.rows = 1;
            block.first_seq = block.last_seq = StreamSeq{6};
            target.sink->copy(block);
            target.sink->end_snapshot({}, {StreamSeq{7}, {Lsn{500}, 0}});
        } catch (const Error& error) {
            return error.hint();
        }
        return std::string("copied");
    };
    CHECK(copies() ==
          "Use a role that may set session_replication_role, or create the foreign keys after the copy, as "
          "--target-sync-schema does.");
    SUBCASE("a role that may") { target.sql("ALTER ROLE " + role_of(target) + " SUPERUSER"); }
    SUBCASE("the foreign key after the copy") { target.sql("ALTER TABLE t DROP CONSTRAINT t_a_fkey"); }
    CHECK(copies() == "copied");
}

TEST_CASE("a row of the target that has the place of another") {
    PostgresTarget target;
    target.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v text UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO t VALUES (9, "
        "'x')");
    const auto insert = [](SinkFeed& feed) -> Batch& { return one_row(feed); };
    CHECK(hint_of(target, insert) ==
          "Rows that only the target has conflict with those from the source. Remove them, or start the worker with "
          "--on-error dead-letter.");
    SUBCASE("removed") {
        target.sql("DELETE FROM t WHERE id = 9");
        check_applies(target, insert);
        CHECK(target.scalar("SELECT id FROM t") == "1");
    }
    SUBCASE("parked") { check_parks(target, insert); }
}

TEST_CASE("a row that a constraint refuses") {
    PostgresTarget target;
    target.sql("CREATE TABLE t (id int PRIMARY KEY, v text CONSTRAINT short CHECK (length(v) < 3))");
    const auto insert = [](SinkFeed& feed) -> Batch& { return one_row(feed, "long"); };
    CHECK(hint_of(target, insert) ==
          "Change what refuses it on the target (the message names it), or start the worker with --on-error "
          "dead-letter, which parks such changes.");
    SUBCASE("changed") {
        target.sql("ALTER TABLE t DROP CONSTRAINT short");
        check_applies(target, insert);
    }
    SUBCASE("parked") { check_parks(target, insert); }
}

TEST_CASE("an identity column that would take rows along") {
    PostgresTarget target;
    target.as_plain_role(
        "CREATE TABLE p (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text); INSERT INTO p (v) VALUES ('old'); "
        "CREATE TABLE c (p int REFERENCES p ON UPDATE CASCADE ON DELETE CASCADE); INSERT INTO c VALUES (1)");
    const auto p = make_relation("public", "p", {"id integer*", "v text"});
    const auto update = [&](SinkFeed& feed) -> Batch& {
        return feed.update(p, OldRow::key, {text("1"), null_value}, {text("2"), text("new")}).complete();
    };
    const std::string hint = hint_of(target, update);
    CHECK(contains(hint, "Use a role that may set session_replication_role, or run on the target: "));
    SUBCASE("a role that may") { target.sql("ALTER ROLE " + role_of(target) + " SUPERUSER"); }
    SUBCASE("by default") { target.sql(said(hint, "ALTER TABLE ")); }
    check_applies(target, update);
    CHECK(target.rows("SELECT * FROM p") == Lines{"2|new"});
}

TEST_CASE("a table without any key") {
    PostgresTarget target;
    target.sql("CREATE TABLE t (id int, v text); INSERT INTO t VALUES (1, 'old')");
    const auto update_of = [](const RelationPtr& relation, OldRow kind) {
        return [relation, kind](SinkFeed& feed) -> Batch& {
            if (kind == OldRow::none) return feed.update(relation, {text("1"), text("new")}).complete();
            return feed.update(relation, kind, {text("1"), text("old")}, {text("1"), text("new")}).complete();
        };
    };
    CHECK(hint_of(target, update_of(make_relation("public", "t", {"id integer", "v text"}), OldRow::none)) ==
          "Give the source's table a primary key or REPLICA IDENTITY FULL, and keep its key columns out of "
          "exclude_column rules.");
    SUBCASE("a primary key") { check_applies(target, update_of(relation_t, OldRow::none)); }
    SUBCASE("REPLICA IDENTITY FULL") {
        const auto full = make_relation("public", "t", {"id integer*", "v text*"}, ReplicaIdentity::full);
        check_applies(target, update_of(full, OldRow::full));
    }
    CHECK(target.rows("SELECT * FROM t") == Lines{"1|new"});
}

TEST_CASE("foreign keys that the role may not disable") {
    PostgresTarget target;
    target.as_plain_role("SELECT 1");
    target.options.disable_foreign_keys = true;
    const std::string hint = hint_of_open(target);
    CHECK(contains(hint, "or leave --target-disable-foreign-keys out."));
    const std::string role = role_of(target);
    SUBCASE("a superuser") { target.sql("ALTER ROLE " + role + " SUPERUSER"); }
    SUBCASE("a grant") {
        if (target.server.version() < 150000) return;
        target.sql(said(hint, "GRANT SET ON PARAMETER session_replication_role TO ", ";"));
    }
    SUBCASE("without the flag") { target.options.disable_foreign_keys = false; }
    CHECK(hint_of_open(target) == "opened");
    target.sink.reset();
    if (target.options.disable_foreign_keys && target.server.version() >= 150000) target.sql("DROP OWNED BY " + role);
}

TEST_CASE("a table that is missing, or is none") {
    PostgresTarget target;
    const auto insert = [](SinkFeed& feed) -> Batch& { return one_row(feed); };
    const std::string create = "CREATE TABLE t (id int PRIMARY KEY, v text)";
    SUBCASE("missing, then created") {
        CHECK(hint_of(target, insert) ==
              "Create it on the target, or start the worker with --target-sync-schema, or route the table elsewhere "
              "with --routing-config.");
        target.sql(create);
    }
    SUBCASE("missing, then made from the source") {
        CHECK(contains(hint_of(target, insert), "--target-sync-schema"));
        const std::string source = target.server.create_database();
        target.server.sql(source, create);
        target.options.sync_schema = true;
        target.options.source = target.server.connect(source);
        target.options.source.role = "source";
    }
    SUBCASE("a sequence, then a table") {
        target.sql("CREATE SEQUENCE t");
        CHECK(hint_of(target, insert) == "Route the source's table to a table of the target.");
        target.sql("DROP SEQUENCE t; " + create);  // as the routed table would be
    }
    check_applies(target, insert);
}

TEST_CASE("a column that is missing") {
    PostgresTarget target;
    target.sql("CREATE TABLE t (id int PRIMARY KEY)");
    const auto insert = [](SinkFeed& feed) -> Batch& { return one_row(feed); };
    const std::string hint = hint_of(target, insert);
    CHECK(contains(hint,
                   "Run on the target what was run on the source, with the same default and NOT NULL if it had "
                   "them: "));
    SUBCASE("made as it is on the source") {
        CHECK(said(hint, "ALTER TABLE ", ";") == "ALTER TABLE \"public\".\"t\" ADD COLUMN \"v\" text");
        target.sql(said(hint, "ALTER TABLE ", ";"));
    }
    SUBCASE("added by the worker") { target.options.on_missing_column = OnMissingColumn::add; }
    SUBCASE("ignored") { target.options.on_missing_column = OnMissingColumn::ignore; }
    check_applies(target, insert);
}

TEST_CASE("a second worker that took over") {
    PostgresTarget target;
    target.sql("CREATE TABLE t (id int PRIMARY KEY, v text)");
    target.open();
    SinkFeed feed;
    CHECK(target.failure(one_row(feed)) == "");
    target.sql("UPDATE pgsluice.progress SET owner = gen_random_uuid()");
    std::string hint;
    CHECK(target.failure(feed.insert(relation_t, {text("2"), text("y")}).complete(), &hint) != "");
    CHECK(hint == "Only one worker of a name may run; stop the other one, or give this one its own --worker-name.");
    SUBCASE("the other one is stopped") {}
    SUBCASE("another name") { target.options.worker = "another"; }
    check_applies(target, [](SinkFeed& again) -> Batch& {
        return again.insert(relation_t, {text("1"), text("x")}).insert(relation_t, {text("2"), text("y")}).complete();
    });
}

TEST_CASE("a transaction whose rest does not come") {
    PostgresTarget target;
    target.sql("CREATE TABLE t (id int PRIMARY KEY, v text)");
    target.options.incomplete_timeout_ms = 0;
    target.open();
    SinkFeed feed;
    target.sink->apply(feed.insert(relation_t, {text("1"), text("x")}).piece());
    try {
        target.sink->flush();
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.hint() ==
              "Start the group's replicator if it does not run: the rest of the transaction comes from it.");
    }
    check_applies(target, [](SinkFeed& again) -> Batch& { return one_row(again); });  // with its rest
}

TEST_CASE("pg_dump that is missing, too old, or refused") {
    PostgresTarget target;
    const std::string source = target.server.create_database();
    target.server.sql(source, "CREATE TABLE t (id int PRIMARY KEY, v text)");
    target.options.sync_schema = true;
    target.options.schema_from = SchemaFrom::pg_dump;
    target.options.source = target.server.connect(source);
    target.options.source.role = "source";
    const auto insert = [](SinkFeed& feed) -> Batch& { return one_row(feed); };
    struct Path {  // put back whatever happens
        std::string before = std::getenv("PATH");
        void set(const std::string& path) const { ::setenv("PATH", path.c_str(), 1); }
        ~Path() { set(before); }
    } const path;
    SUBCASE("missing") {
        path.set(temporary_directory("no_pg_dump"));
        const std::string hint = hint_of(target, insert);
        CHECK(contains(hint, "Install PostgreSQL's client programs (Debian: postgresql-client)"));
        SUBCASE("installed") { path.set(path.before); }
        SUBCASE("created by hand") {
            CHECK(contains(hint, "or create the tables on the target yourself and leave --target-sync-schema out."));
            target.sql("CREATE TABLE t (id int PRIMARY KEY, v text)");
            target.options.sync_schema = false;
        }
    }
    SUBCASE("too old") {
        const std::string old = temporary_directory("old_pg_dump");
        REQUIRE(run({"/bin/sh", "-c",
                     "printf '#!/bin/sh\\necho pg_dump 9.6' > " + old + "/pg_dump && chmod +x " + old + "/pg_dump"})
                    .code == 0);
        path.set(old + ":" + path.before);
        CHECK(contains(hint_of(target, insert), "and put them first in PATH."));
        path.set(path.before + ":" + old);
    }
    SUBCASE("refused") {
        const std::string role = "reader_" + target.database;
        target.server.sql(source, "CREATE ROLE " + role + " LOGIN");
        target.options.source.user = role;
        target.options.source.url.clear();
        CHECK(hint_of(target, insert) ==
              "The --source-* options must name the database the replicator reads, as a role that may read its "
              "tables.");
        target.server.sql(source, "GRANT SELECT ON t TO " + role);
    }
    check_applies(target, insert);
}

TEST_CASE("no room for a replication origin where a group reads from the target") {
    PostgresServer server({.settings = {{"max_replication_slots", "2"}}});
    PostgresTarget target(server);
    target.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v text); SELECT pg_replication_origin_create('name'); SELECT "
        "pg_replication_origin_advance('name', '0/1')");
    target.sql("SELECT pg_create_logical_replication_slot('pgsluice_back', 'pgoutput')");
    GroupInfo source;
    source.system_identifier = "1";
    source.dbname = "source";
    const auto insert = [&] {
        try {
            target.open();
            target.sink->read_from(source);
            SinkFeed feed;
            target.sink->apply(one_row(feed));
            target.sink->flush();
        } catch (const Error& error) {
            return error.hint();
        }
        return std::string("applied");
    };
    const std::string hint = insert();
    CHECK(contains(hint,
                   "Raise max_replication_slots (from PostgreSQL 18 on max_active_replication_origins) on the "
                   "target and restart it, or drop an origin that nothing uses any more "));
    SUBCASE("raised") {
        target.sink.reset();
        target.sql(target.server.version() >= 180000 ? "ALTER SYSTEM SET max_active_replication_origins = 10"
                                                     : "ALTER SYSTEM SET max_replication_slots = 10");
        server.stop_immediate();
        server.start();
    }
    SUBCASE("dropped") { target.sql(said(hint, "SELECT pg_replication_origin_drop('name')", ")")); }
    SUBCASE("unmarked") {
        CHECK(contains(hint,
                       "where no group leads from there back to this one's source, start the worker with "
                       "--target-unmarked."));
        target.options.unmarked = true;
    }
    CHECK(insert() == "applied");
}
