// What a table's owner hangs on it runs when the worker writes there, but never with the worker's rights.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/live/hostile_target.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

RelationPtr table() { return make_relation("own", "t", {"id integer*", "v integer"}); }

constexpr const char* plain = "CREATE TABLE own.t (id int PRIMARY KEY, v int); ";

const std::vector<std::string> ways{
    std::string(plain) +
        "CREATE TRIGGER g BEFORE INSERT OR UPDATE OR DELETE ON own.t FOR EACH ROW EXECUTE FUNCTION "
        "own.grabs(); ALTER TABLE own.t ENABLE ALWAYS TRIGGER g",
    std::string(plain) +
        "CREATE TRIGGER g AFTER INSERT OR UPDATE OR DELETE ON own.t EXECUTE FUNCTION own.grabs(); "
        "ALTER TABLE own.t ENABLE REPLICA TRIGGER g",
    std::string(plain) +
        "CREATE CONSTRAINT TRIGGER g AFTER INSERT OR UPDATE ON own.t DEFERRABLE INITIALLY DEFERRED FOR "
        "EACH ROW EXECUTE FUNCTION own.grabs(); ALTER TABLE own.t ENABLE ALWAYS TRIGGER g",
    std::string(plain) + "ALTER TABLE own.t ADD CHECK (own.grab() = 1)",
    std::string(plain) + "ALTER TABLE own.t ADD CHECK (query_to_xml('SELECT own.grab()', true, true, '') IS NOT NULL)",
    std::string(plain) + "CREATE INDEX ON own.t (own.pure(v)); TRUNCATE own.loot",
    std::string(plain) + "CREATE INDEX ON own.t (v) WHERE own.pure(v) > 0; TRUNCATE own.loot",
    "CREATE TABLE own.t (id int PRIMARY KEY, v int, g int GENERATED ALWAYS AS (own.pure(id)) STORED)",
    "CREATE TABLE own.t (id int PRIMARY KEY, v int, g int DEFAULT own.grab())",
    "CREATE DOMAIN own.d AS int CHECK (own.grab() = 1); CREATE TABLE own.t (id int PRIMARY KEY, v own.d)",
    "CREATE TYPE own.mood AS ENUM ('1', '7'); CREATE FUNCTION own.cast(text) RETURNS own.mood STRICT LANGUAGE plpgsql "
    "AS "
    "$$BEGIN PERFORM own.grab(); RETURN CASE $1 WHEN '1' THEN '1'::own.mood ELSE '7'::own.mood END; END$$; CREATE CAST "
    "(text AS own.mood) WITH FUNCTION own.cast; CREATE TABLE own.t (id int PRIMARY KEY, v own.mood)",
    "CREATE TABLE own.t (id int, v int) PARTITION BY RANGE (own.pure(id)); CREATE TABLE own.p PARTITION OF own.t "
    "DEFAULT; TRUNCATE own.loot",
    "CREATE TABLE own.t (id int PRIMARY KEY, v int) PARTITION BY RANGE (id); CREATE TABLE own.p PARTITION OF own.t "
    "DEFAULT; CREATE TRIGGER g AFTER INSERT ON own.p FOR EACH ROW EXECUTE FUNCTION own.grabs(); ALTER TABLE own.p "
    "ENABLE ALWAYS TRIGGER g",
};

// A deferred trigger that runs the code as if deferred triggers were to wait for the commit.
std::string deferring(const std::string& table, const std::string& code) {
    return fmt::format(
        "CREATE FUNCTION {0}_late() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM own.grab(); SET CONSTRAINTS "
        "ALL DEFERRED; {1}; RETURN NULL; END$$; CREATE CONSTRAINT TRIGGER late AFTER INSERT ON {0} DEFERRABLE "
        "INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {0}_late(); ALTER TABLE {0} ENABLE ALWAYS TRIGGER late; ",
        table, code);
}

SinkFeed& add_rows(SinkFeed& feed, const RelationPtr& relation, int first, int count, std::vector<std::string>& texts) {
    for (int i = first; i < first + count; ++i) {
        texts.push_back(std::to_string(i));
        feed.insert(relation, {text(texts.back()), text("1")});
    }
    return feed;
}

CopyBlock block_of(const RelationPtr& relation, std::string_view rows) {
    CopyBlock block;
    block.relation = relation.get();
    block.relation_owner = relation;
    block.text = rows;
    block.rows = 2;
    block.first_seq = block.last_seq = StreamSeq{6};
    return block;
}

void load(Hostile& target, std::string_view rows) {
    const auto relation = table();
    SnapshotBegin begin;
    begin.epoch = 1;
    begin.consistent_point = Lsn{500};
    target.sink->begin_snapshot(begin, {relation}, {StreamSeq{5}, {Lsn{500}, 0}});
    target.sink->copy(block_of(relation, rows));
    target.sink->end_snapshot({}, {StreamSeq{7}, {Lsn{500}, 0}});
}

}  // namespace

TEST_CASE("code on a table runs as its owner when rows are written") {
    for (const std::string& way : ways) {
        CAPTURE(way);
        Hostile target(way);
        target.open();
        SinkFeed feed;
        const auto relation = table();
        target.sink->apply(feed.insert(relation, {text("1"), text("1")}).complete());
        target.check_rows({"1|1"});
        target.check_only_as_mallory();

        std::vector<std::string> texts;
        texts.reserve(5000);
        target.sink->apply(add_rows(feed, relation, 2, 5, texts).complete());
        target.sink->apply(feed.update(relation, {text("2"), text("7")}).complete());
        target.sink->apply(feed.remove(relation, OldRow::key, {text("1"), null_value}).complete());
        target.check_rows({"2|7", "3|1", "4|1", "5|1", "6|1"});
        target.check_only_as_mallory();
        CHECK(target.scalar("SELECT count(*) FROM pg_proc WHERE proname LIKE 'pgsluice%'") == "0");
    }
}

TEST_CASE("code on a table runs as its owner when rows are copied") {
    for (const std::string& way : ways) {
        for (const ExistingRows existing : {ExistingRows::truncate, ExistingRows::keep}) {
            CAPTURE(way);
            Hostile target(way);
            target.options.existing_rows = existing;
            target.open();
            load(target, "1\t1\n2\t\\N\n");
            target.check_rows({"1|1", "2|"});
            target.check_only_as_mallory();
        }
    }
}

TEST_CASE("a truncate trigger runs as the table's owner") {
    Hostile target(std::string(plain) +
                   "CREATE TRIGGER g AFTER TRUNCATE ON own.t EXECUTE FUNCTION own.grabs(); ALTER TABLE own.t ENABLE "
                   "ALWAYS TRIGGER g; INSERT INTO own.t VALUES (1, 1)");
    target.open();
    SinkFeed feed;
    target.sink->apply(feed.truncate({table()}).complete());
    target.check_rows({});
    target.check_only_as_mallory();
}

TEST_CASE("code that comes between two transactions runs as the table's owner") {
    for (const char* code :
         {"ALTER TABLE own.t ADD CHECK (own.grab() = 1)",
          "CREATE STATISTICS own.st ON (v + own.pure(1)), id FROM own.t",
          "CREATE TRIGGER g BEFORE UPDATE ON own.t FOR EACH ROW WHEN (own.grab() = 1) EXECUTE FUNCTION "
          "suppress_redundant_updates_trigger(); ALTER TABLE own.t ENABLE ALWAYS TRIGGER g"}) {
        CAPTURE(code);
        Hostile target(plain);
        target.open();
        SinkFeed feed;
        const auto relation = table();
        target.sink->apply(feed.insert(relation, {text("1"), text("1")}).complete());
        target.sql("SET ROLE " + target.mallory + "; " + code + "; TRUNCATE own.loot");
        target.sink->apply(feed.update(relation, {text("1"), text("2")}).complete());
        target.check_only_as_mallory();
        target.check_rows({"1|2"});
    }
}

TEST_CASE("a table that takes the name of another is looked at") {
    Hostile target(plain);
    target.open();
    SinkFeed feed;
    const auto relation = table();
    target.sink->apply(feed.insert(relation, {text("1"), text("1")}).complete());
    target.sql("SET ROLE " + target.mallory +
               "; ALTER TABLE own.t RENAME TO old; CREATE TABLE own.t (id int PRIMARY KEY, v int CHECK (own.grab() = "
               "1))");
    target.sink->apply(feed.insert(relation, {text("2"), text("1")}).complete());
    target.check_rows({"2|1"});
    target.check_only_as_mallory();
}

// Her code runs as herself, but in the worker's session and transaction.
TEST_CASE("what an owner's code leaves for the worker to run is refused or runs as the owner") {
    const std::vector<std::pair<std::string, std::string>> tries{
        {"PERFORM set_config('role', 'none', true)", "cannot set parameter \"role\""},
        {"SET search_path = own, pg_catalog", "it changed a setting of the session"},
        {"CREATE TEMP VIEW pg_class AS SELECT 1", "it left a cursor, a prepared statement or a temporary object"},
        {"EXECUTE format('ALTER FUNCTION %s SECURITY INVOKER', (SELECT oid::regprocedure FROM pg_proc WHERE proname "
         "LIKE 'pgsluice_as_owner%' LIMIT 1))",
         "it left a cursor, a prepared statement or a temporary object"},
        {"ALTER TABLE own.u ADD CHECK (own.grab() = 1); TRUNCATE own.loot", ""},
        {"CREATE CONSTRAINT TRIGGER late AFTER INSERT ON own.w DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE "
         "FUNCTION own.grabs(); ALTER TABLE own.w ENABLE ALWAYS TRIGGER late; INSERT INTO own.w VALUES (1)",
         ""},
        {deferring("own.w", "IF new.id < 4 THEN INSERT INTO own.w VALUES (new.id + 1); END IF") +
             "INSERT INTO own.w VALUES (1)",
         ""},
        {deferring("own.w", "INSERT INTO own.w VALUES (new.id + 1)") + "INSERT INTO own.w VALUES (1)",
         "its deferred triggers defer others without end"},
        // With as many rows as before.
        {deferring("own.w", "PERFORM 1") + deferring("own.x", "TRUNCATE own.w; INSERT INTO own.w VALUES (1)") +
             "TRUNCATE own.w; INSERT INTO own.w VALUES (1); SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE own.loot; SET "
             "CONSTRAINTS ALL DEFERRED; INSERT INTO own.x VALUES (1)",
         ""},
    };
    for (const auto& tried : tries) {
        const std::string& code = tried.first;
        const std::string& refusal = tried.second;
        CAPTURE(code);
        Hostile target(
            std::string(plain) +
            "CREATE TABLE own.u (id int PRIMARY KEY, v int); CREATE TABLE own.w (id "
            "int); CREATE TABLE own.x (id int); CREATE FUNCTION own.tries() RETURNS trigger LANGUAGE plpgsql AS "
            "$f$BEGIN IF new.id = 1 THEN " +
            code +
            "; END IF; RETURN new; END$f$; CREATE TRIGGER g BEFORE INSERT ON own.t FOR EACH ROW EXECUTE "
            "FUNCTION own.tries(); ALTER TABLE own.t ENABLE ALWAYS TRIGGER g");
        target.open();
        SinkFeed feed;
        const auto other = make_relation("own", "u", {"id integer*", "v integer"});
        feed.insert(table(), {text("1"), text("1")}).insert(other, {text("1"), text("1")});
        feed.insert(table(), {text("2"), text("1")}).insert(other, {text("2"), text("1")});
        const std::string failure = target.failure(feed.complete());
        if (refusal.empty()) {
            CHECK(failure.empty());
            CHECK(target.rows("SELECT id FROM own.u ORDER BY id") == Lines{"1", "2"});
            target.check_only_as_mallory();
        } else {
            CHECK(contains(failure, refusal));
            CHECK(target.scalar("SELECT count(*) FROM own.loot WHERE s = 'hush'") == "0");
        }
    }
}

TEST_CASE("nothing is run as an owner where it cannot be known whether deferred triggers are left") {
    Hostile target(std::string(plain) + "ALTER TABLE own.t ADD CHECK (own.grab() = 1)");
    target.sql("ALTER DATABASE " + target.database + " SET track_counts = off");
    target.open();
    SinkFeed feed;
    CHECK(target.failure(feed.insert(table(), {text("1"), text("1")}).complete()).empty());
    target.sql("ALTER TABLE own.t ADD UNIQUE (v) DEFERRABLE");
    target.open();
    CHECK(contains(target.failure(feed.insert(table(), {text("2"), text("2")}).complete()),
                   "whether it left deferred triggers is not known while track_counts is off"));
}

TEST_CASE("a worker that may not write as the table's owner refuses, and says what to grant") {
    Hostile target(std::string(plain) + "ALTER TABLE own.t ADD CONSTRAINT c CHECK (own.grab() = 1)");
    const std::string writer = target.as_writer();
    target.sql("REVOKE TEMPORARY ON DATABASE " + target.database + " FROM PUBLIC");
    target.open();
    SinkFeed feed;
    feed.insert(table(), {text("1"), text("1")});
    std::string hint;
    const std::string failure = target.failure(feed.complete(), &hint);
    CAPTURE(failure);
    CAPTURE(hint);
    CHECK(contains(failure, "on 'own.t', constraint 'c' calls own.grab() of '" + target.mallory + "'"));
    const bool with_set = target.server.version() >= 160000;
    const std::string grants = fmt::format("GRANT {0} TO {1}{3}; GRANT TEMPORARY ON DATABASE {2} TO {0}, {1}",
                                           target.mallory, writer, target.database, with_set ? " WITH SET TRUE" : "");
    CHECK(contains(hint, "run on the target: " + grants));

    target.sql(grants);
    target.open();
    feed.insert(table(), {text("1"), text("1")});
    CHECK(target.failure(feed.complete()).empty());
    target.check_rows({"1|1"});
    target.check_only_as_mallory();
}

TEST_CASE("code on a table that foreign keys tie to another runs as the owner of that one") {
    const std::string grabs = "FOR EACH ROW EXECUTE FUNCTION own.grabs(); ";
    const std::string rows = "; INSERT INTO own.r VALUES (1), (2)";
    const std::vector<std::string> tied{
        "CREATE TABLE own.r (id int REFERENCES own.t ON DELETE CASCADE ON UPDATE CASCADE); CREATE TRIGGER g AFTER "
        "DELETE OR UPDATE ON own.r " +
            grabs + rows,
        "CREATE TABLE own.r (id int REFERENCES own.t ON DELETE SET NULL ON UPDATE SET NULL); CREATE CONSTRAINT TRIGGER "
        "g AFTER UPDATE ON own.r DEFERRABLE INITIALLY DEFERRED " +
            grabs + rows,
        "CREATE TABLE own.r (id int REFERENCES own.t ON DELETE SET DEFAULT ON UPDATE CASCADE) PARTITION BY LIST (id); "
        "CREATE TABLE own.p PARTITION OF own.r DEFAULT; CREATE TRIGGER g AFTER UPDATE ON own.p " +
            grabs + rows,
        "CREATE TABLE own.r (id int PRIMARY KEY REFERENCES own.t ON DELETE CASCADE ON UPDATE CASCADE); CREATE TABLE "
        "own.s (id int REFERENCES own.r ON DELETE CASCADE ON UPDATE CASCADE); CREATE TRIGGER g AFTER DELETE OR UPDATE "
        "ON own.s " +
            grabs + rows + "; INSERT INTO own.s VALUES (1), (2)",
        "CREATE TABLE own.w (id int); CREATE CONSTRAINT TRIGGER g AFTER INSERT ON own.w DEFERRABLE INITIALLY "
        "DEFERRED " +
            grabs +
            "CREATE FUNCTION own.more() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO own.w VALUES "
            "(1); RETURN coalesce(new, old); END$$; CREATE TABLE own.r (id int REFERENCES own.t ON DELETE CASCADE ON "
            "UPDATE CASCADE); CREATE TRIGGER more BEFORE DELETE OR UPDATE ON own.r FOR EACH ROW EXECUTE FUNCTION "
            "own.more()" +
            rows,
        "CREATE TABLE own.r (id int DEFAULT own.pure(NULL) REFERENCES own.t ON DELETE SET DEFAULT ON UPDATE SET "
        "DEFAULT)" +
            rows,
        "CREATE DOMAIN own.d AS int CHECK (own.pure(value) > 0); CREATE TABLE own.r (id own.d REFERENCES own.t ON "
        "DELETE CASCADE ON UPDATE CASCADE)" +
            rows,
        "CREATE TABLE own.r (id int) PARTITION BY RANGE (own.pure(id)); CREATE TABLE own.p PARTITION OF own.r FOR "
        "VALUES FROM (0) TO (9); ALTER TABLE own.p ADD FOREIGN KEY (id) REFERENCES own.t ON DELETE CASCADE ON UPDATE "
        "CASCADE" +
            rows,
        "CREATE TABLE own.r (id int REFERENCES own.t); CREATE INDEX ON own.r (id) WHERE own.pure(1) = 1",
        "CREATE TABLE own.m (k int PRIMARY KEY); INSERT INTO own.m VALUES (1), (2), (7); CREATE INDEX ON own.m (k) "
        "WHERE own.pure(1) = 1; ALTER TABLE own.t ADD FOREIGN KEY (v) REFERENCES own.m",
    };
    for (const std::string& way : tied) {
        CAPTURE(way);
        Hostile target(std::string(plain) + "INSERT INTO own.t VALUES (1, 1), (2, 2); " + way + "; TRUNCATE own.loot");
        const std::string writer = target.as_writer();
        target.sql(fmt::format("GRANT SELECT ON secrets TO {0}", writer));
        target.open();
        SinkFeed feed;
        const auto relation = table();
        const auto write = [&] {
            feed.remove(relation, OldRow::key, {text("1"), null_value});
            feed.update(relation, OldRow::key, {text("2"), null_value}, {text("3"), text("7")});
            return target.failure(feed.complete());
        };
        CHECK(contains(write(), "which would run with the rights of the worker's role"));
        CHECK(target.scalar("SELECT count(*) FROM own.loot") == "0");

        target.sql(fmt::format("GRANT {} TO {}", target.mallory, writer));
        target.open();
        CHECK(write().empty());
        target.check_rows({"3|7"});
        target.check_only_as_mallory();
    }
}

TEST_CASE("what foreign keys tie to a table, and cannot run, is in nobody's way") {
    Hostile target(std::string(plain) +
                   "CREATE TABLE own.r (id int REFERENCES own.t ON DELETE CASCADE, x int DEFAULT own.grab()); CREATE "
                   "TRIGGER g AFTER INSERT ON own.r FOR EACH ROW EXECUTE FUNCTION own.grabs(); CREATE TABLE own.m (k "
                   "int PRIMARY KEY CHECK (own.grab() = 1)); CREATE TRIGGER g AFTER UPDATE ON own.m FOR EACH ROW "
                   "EXECUTE FUNCTION own.grabs(); CREATE INDEX ON own.m (k) WHERE k > 0; INSERT INTO own.m VALUES (1); "
                   "ALTER TABLE own.t ADD FOREIGN KEY (v) REFERENCES own.m; TRUNCATE own.loot");
    target.as_writer();
    target.open();
    SinkFeed feed;
    feed.insert(table(), {text("1"), text("1")});
    CHECK(target.failure(feed.complete()).empty());
    feed.remove(table(), OldRow::key, {text("1"), null_value});
    CHECK(target.failure(feed.complete()).empty());
    target.check_rows({});
    CHECK(target.scalar("SELECT count(*) FROM own.loot") == "0");
}

TEST_CASE("a table of another role that refers to one of the worker's own is given to the worker") {
    Hostile target("GRANT USAGE ON SCHEMA own TO PUBLIC");
    const std::string writer = "writer_" + target.database;
    target.sql(
        fmt::format("CREATE ROLE {0} LOGIN; CREATE SCHEMA pgsluice AUTHORIZATION {0}; CREATE TABLE mine (id int "
                    "PRIMARY KEY, v int); ALTER TABLE mine OWNER TO {0}; GRANT REFERENCES ON mine TO {1}; SET "
                    "ROLE {1}; CREATE FUNCTION own.calm(int) RETURNS bool STABLE LANGUAGE sql AS 'SELECT true'; "
                    "CREATE TABLE own.r (id int REFERENCES public.mine ON DELETE CASCADE CHECK (own.calm(id)))",
                    writer, target.mallory));
    target.options.target.user = writer;
    target.open();
    SinkFeed feed;
    const auto relation = make_relation("public", "mine", {"id integer*", "v integer"});
    feed.insert(relation, {text("1"), text("1")});
    std::string hint;
    CHECK(contains(target.failure(feed.complete(), &hint), "on 'own.r', constraint 'r_id_check' calls own.calm"));
    CHECK(contains(hint, "give that table and what is called to the worker's role (ALTER TABLE, ALTER FUNCTION"));
    target.sql(fmt::format("ALTER TABLE own.r OWNER TO {0}; ALTER FUNCTION own.calm OWNER TO {0}", writer));
    target.open();
    feed.insert(relation, {text("1"), text("1")});
    CHECK(target.failure(feed.complete()).empty());
}

TEST_CASE("a function of another role on a table of the worker's own is refused") {
    Hostile target("GRANT USAGE ON SCHEMA own TO PUBLIC");
    target.sql("CREATE TABLE mine (id int PRIMARY KEY, v int CONSTRAINT c CHECK (own.pure(v) > 0))");
    target.open();
    SinkFeed feed;
    feed.insert(make_relation("public", "mine", {"id integer*", "v integer"}), {text("1"), text("1")});
    std::string hint;
    CHECK(contains(target.failure(feed.complete(), &hint),
                   "on 'public.mine', constraint 'c' calls own.pure(integer) of '" + target.mallory + "'"));
    CHECK(contains(hint, "ALTER FUNCTION"));
    CHECK(target.scalar("SELECT count(*) FROM own.loot") == "0");
    target.sql("ALTER FUNCTION own.pure(int) OWNER TO postgres");
    target.open();
    feed.insert(make_relation("public", "mine", {"id integer*", "v integer"}), {text("1"), text("1")});
    CHECK(target.failure(feed.complete()).empty());
}

TEST_CASE("what only computes does not need the table's owner") {
    Hostile target(
        "CREATE TYPE own.mood AS ENUM ('sad', 'ok'); CREATE TYPE own.pair AS (a int, b text); CREATE SEQUENCE own.s; "
        "CREATE TABLE own.t (id int PRIMARY KEY CHECK (id > 0 AND id % 2 IN (0, 1)), v int, m own.mood DEFAULT 'ok', p "
        "own.pair, tag text COLLATE \"C\" CHECK (tag ~ '^a' AND length(lower(tag || id)) < 10 OR tag IS NULL), n "
        "bigint DEFAULT nextval('own.s'), at timestamptz DEFAULT now() CHECK (at > now() - interval '1 day'), day date "
        "DEFAULT current_date, x numeric GENERATED ALWAYS AS (round(id * 1.5, 2)) STORED, u uuid DEFAULT "
        "gen_random_uuid(), w text DEFAULT CASE WHEN 1 = 2 THEN coalesce('a', 'b') ELSE 'c' END); CREATE INDEX ON "
        "own.t "
        "(lower(tag)) WHERE id > 5; CREATE TRIGGER g BEFORE UPDATE ON own.t FOR EACH ROW EXECUTE FUNCTION "
        "suppress_redundant_updates_trigger(); ALTER TABLE own.t ENABLE ALWAYS TRIGGER g");
    const std::string writer = target.as_writer();
    target.sql("GRANT USAGE ON SEQUENCE own.s TO " + writer);
    if (target.server.version() >= 150000) target.sql("GRANT SET ON PARAMETER session_replication_role TO " + writer);
    target.open();
    SinkFeed feed;
    feed.insert(table(), {text("1"), text("1")});
    CHECK(target.failure(feed.complete()).empty());
    target.check_rows({"1|1"});
}
