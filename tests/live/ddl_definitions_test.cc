// What the event triggers say of each kind of command, whoever ran it and however.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/ddl_source.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

using Texts = std::vector<std::string>;

constexpr const char* one_table = "CREATE TABLE t (id int PRIMARY KEY, v text, n numeric(10,2) DEFAULT 3.5)";
constexpr const char* whole_schema = "n.nspname = 'public'";

void check_said(DdlSource& source, const Texts& expected) {
    const Texts said = source.said();
    for (std::size_t i = 0; i < std::min(said.size(), expected.size()); ++i) CHECK(said[i] == expected[i]);
    CHECK(said.size() == expected.size());
}

}  // namespace

TEST_CASE("each change of a table is one message, with its definition before and after") {
    DdlSource source(one_table, "false", "t");
    source.run("ALTER TABLE t ADD COLUMN c int DEFAULT 7");
    const Texts added = source.messages();
    REQUIRE(added.size() == 1);
    CHECK(source.json(added[0], "version") == "2");
    CHECK(source.json(added[0], "tag") == "ALTER TABLE");
    CHECK(source.json(added[0], "objects,0,before,columns,3") == "");
    CHECK(source.json(added[0], "objects,0,after,columns,3,missing") == "7");
    CHECK(source.json(added[0], "objects,0,after,columns,3,num") == "4");
    CHECK(source.json(added[0], "objects,0,after,columns,2,type") == "numeric(10,2)");

    source.run("ALTER TABLE t RENAME COLUMN v TO w");
    source.run("CREATE INDEX i ON t (w)");
    source.run("ALTER TABLE t DROP COLUMN w");  // and the index with it
    source.run("COMMENT ON COLUMN t.id IS 'the key'");
    source.run("ALTER TABLE t RENAME TO u");
    source.run("ALTER TABLE u SET (fillfactor = 70), ENABLE ROW LEVEL SECURITY");
    source.run("ALTER TABLE u SET (fillfactor = 70)");  // as it is: nothing to say
    source.run("DROP TABLE u");
    check_said(source,
               Texts{"ALTER TABLE: table public.t changed columns", "CREATE INDEX: index public.i new",
                     "ALTER TABLE: index public.i gone; table public.t changed columns",
                     "COMMENT: table public.t changed columns", "ALTER TABLE: table public.u changed name",
                     "ALTER TABLE: table public.u changed options,row_security", "DROP TABLE: table public.u gone"});
}

TEST_CASE("a column that is dropped, with what hangs on it, and with that of a parent outside the group") {
    DdlSource source(
        "CREATE TABLE above (id int, away int, here int); CREATE TABLE t (PRIMARY KEY (id), own int DEFAULT 3) "
        "INHERITS "
        "(above); CREATE TABLE other (id int REFERENCES t)",
        "false", "t,other");
    source.run("ALTER TABLE t DROP COLUMN own");
    source.run("ALTER TABLE above DROP COLUMN away");
    source.run("ALTER TABLE t ADD COLUMN a int, ADD COLUMN b int CHECK (b > 0)");
    source.run("ALTER TABLE t DROP COLUMN a, DROP COLUMN b, DROP COLUMN IF EXISTS c");
    const std::string columns = "ALTER TABLE: table public.t changed columns";
    check_said(source, Texts{columns, columns, columns + ",constraints", columns + ",constraints"});
    source.run("ALTER TABLE above DROP COLUMN id CASCADE");
    const Texts last = source.said();
    REQUIRE_FALSE(last.empty());
    CHECK(contains(last.front(), "table public.other"));
    CHECK(contains(last.front(), "table public.t"));
}

TEST_CASE("commands in one text, a DO block, a function and another event trigger are each said once") {
    DdlSource source(one_table, "false", "t");
    source.run("BEGIN; ALTER TABLE t ADD COLUMN a int; ALTER TABLE t ADD COLUMN b int; COMMIT");
    check_said(source, Texts(2, "ALTER TABLE: table public.t changed columns"));
    source.run("DO $$BEGIN ALTER TABLE t DROP COLUMN a; EXECUTE 'CREATE INDEX i ON t (b)'; END$$");
    check_said(source, Texts{"ALTER TABLE: table public.t changed columns", "CREATE INDEX: index public.i new"});
    source.run(
        "CREATE FUNCTION migrate() RETURNS void LANGUAGE sql AS 'ALTER TABLE t RENAME b TO bb'; SELECT migrate()");
    check_said(source, Texts{"ALTER TABLE: table public.t changed columns"});
    source.run(
        "CREATE FUNCTION more() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN "
        "IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'extra') THEN "
        "ALTER TABLE t ADD COLUMN extra int; END IF; END$$; "
        "CREATE EVENT TRIGGER more ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION more()");
    source.run("ALTER TABLE t ADD COLUMN c int");
    // By the trigger's own command and the outer one: together the two columns, and neither of them twice.
    const Texts both = source.messages();
    REQUIRE(!both.empty());
    CHECK(source.json(both.front(), "objects,0,before,columns,4,name") == "");
    for (const std::string& message : both) CHECK(contains(source.json(message, "objects,0,after,columns"), "num"));
    CHECK(source.json(both.back(), "objects,0,after,columns,5,name") != "");
    CHECK(source.json(both.back(), "objects,0,after,columns,6,name") == "");
}

TEST_CASE("a session's settings change nothing in what is said") {
    DdlSource source(one_table, "false", "t");
    source.run(
        "SET plpgsql.extra_errors = 'all'; CREATE SCHEMA other; CREATE TABLE other.t (id int); CREATE DOMAIN other.d "
        "AS int; "
        "SET search_path = other, public; SET TimeZone = 'Europe/Berlin'; SET DateStyle = 'SQL, DMY'; "
        "SET IntervalStyle = 'iso_8601'; SET bytea_output = 'escape'; SET extra_float_digits = 0; "
        "SET quote_all_identifiers = on; SET session_replication_role = replica");
    source.run(
        "ALTER TABLE public.t ADD COLUMN ts timestamptz DEFAULT '01/02/2020 12:00', ADD COLUMN b bytea DEFAULT "
        "'\\x00ff', ADD COLUMN i interval DEFAULT 'P1DT2H', ADD COLUMN f float8 DEFAULT 0.1, ADD COLUMN d d");
    const Texts said = source.messages();
    REQUIRE(said.size() == 1);
    const auto column = [&](const char* place, const char* field) {
        return source.json(said[0], std::string("objects,") +
                                        (source.json(said[0], "objects,0,class") == "table" ? "0" : "2") +
                                        ",after,columns," + place + "," + field);
    };
    CHECK(column("3", "missing") == "2020-02-01 11:00:00+00");
    CHECK(column("4", "missing") == "\\x00ff");
    CHECK(column("5", "missing") == "1 day 02:00:00");
    CHECK(column("6", "missing") == "0.1");
    CHECK(column("7", "type") == "other.d");
    // The session has what it had.
    source.run(
        "DO $$BEGIN ASSERT current_setting('TimeZone') = 'Europe/Berlin'; "
        "ASSERT current_setting('search_path') = 'other, public'; END$$");
    source.run("ALTER TABLE t ADD COLUMN x int");  // other.t, which is none of the group's
    CHECK(source.said().empty());
}

TEST_CASE("a whole schema: tables made in any way, once they have a key") {
    DdlSource source("", whole_schema);
    source.run("CREATE TABLE made AS SELECT 1 AS id");
    source.run("SELECT 1 AS id INTO into_it");
    source.run("CREATE UNLOGGED TABLE loose (id int PRIMARY KEY)");
    source.run("CREATE TEMP TABLE away (id int PRIMARY KEY)");
    CHECK(source.said().empty());
    source.run("CREATE INDEX on_made ON made (id)");
    source.run("ALTER TABLE made ADD PRIMARY KEY (id)");
    source.run("ALTER TABLE into_it REPLICA IDENTITY FULL");
    source.run("ALTER TABLE loose SET LOGGED");
    source.run("CREATE TABLE kids () INHERITS (made)");
    source.run("ALTER TABLE made ADD COLUMN x int");
    check_said(source, Texts{"ALTER TABLE: schema public same; table public.made new; index public.on_made new",
                             "ALTER TABLE: schema public same; table public.into_it new",
                             "ALTER TABLE: schema public same; table public.loose new",
                             "CREATE TABLE: schema public same; table public.kids new",
                             "ALTER TABLE: table public.made changed columns; table public.kids changed columns"});
}

TEST_CASE("what a table needs comes with it") {
    DdlSource source(std::string(one_table) + "; CREATE TYPE mood AS ENUM ('a', 'b')", "false", "t");
    source.run("CREATE SEQUENCE s; CREATE SCHEMA app; CREATE DOMAIN app.d AS mood");
    CHECK(source.said().empty());
    source.run("ALTER TABLE t ADD COLUMN m app.d, ADD COLUMN q bigint DEFAULT nextval('s')");
    source.run("ALTER TYPE mood ADD VALUE 'c'");
    source.run("ALTER TYPE mood RENAME VALUE 'a' TO 'aa'");
    source.run("ALTER SEQUENCE s INCREMENT 5 RESTART 100");
    source.run("ALTER DOMAIN app.d ADD CONSTRAINT few CHECK (value <> 'b')");
    source.run("ALTER TABLE t ADD COLUMN serial serial");
    source.run("ALTER TABLE t DROP COLUMN m");
    source.run("DROP DOMAIN app.d");
    source.run("CREATE TYPE unused AS (a int)");
    source.run("DROP TYPE unused");
    // From PostgreSQL 18 on the NOT NULL of a serial is a constraint.
    const std::string of_serial = shared_postgres().version() >= 180000 ? "changed columns,constraints rewritten 2"
                                                                        : "changed columns rewritten 2";
    check_said(
        source,
        Texts{
            "ALTER TABLE: schema public same; schema app same; type public.mood same; type app.d same; "
            "sequence public.s same; table public.t changed columns rewritten 2 by types",
            "ALTER TYPE: schema public same; type public.mood changed labels",
            "ALTER TYPE: schema public same; type public.mood changed labels",
            "ALTER SEQUENCE: sequence public.s changed increment",
            "ALTER DOMAIN: schema public same; schema app same; type public.mood same; type app.d changed constraints",
            "ALTER TABLE: schema public same; sequence public.t_serial_seq new; table public.t " + of_serial +
                " by types",
            "ALTER TABLE: table public.t changed columns", "DROP DOMAIN: type app.d gone"});
}

TEST_CASE("a rewrite is marked, and whether a USING may have computed the values") {
    DdlSource source("CREATE TABLE t (id int PRIMARY KEY, v int); CREATE INDEX i ON t (v)", "false", "t");
    source.run("ALTER TABLE t ALTER v TYPE bigint");
    source.run("ALTER TABLE t ALTER v TYPE numeric USING v * 100");
    source.run("DO $$BEGIN ALTER TABLE t ALTER v TYPE bigint; END$$");
    source.run("ALTER TABLE t ADD COLUMN u uuid DEFAULT gen_random_uuid()");
    source.run("ALTER TABLE t ADD COLUMN later timestamptz DEFAULT now()");
    // The index is built again, and remains what it was.
    check_said(source, Texts{"ALTER TABLE: table public.t changed columns rewritten 4 by types",
                             "ALTER TABLE: table public.t changed columns rewritten 4",
                             "ALTER TABLE: table public.t changed columns rewritten 4",
                             "ALTER TABLE: table public.t changed columns rewritten 2 by types",
                             "ALTER TABLE: table public.t changed columns"});
    CHECK(source.scalar("SELECT count(*) FROM pgsluice.ddl_rewrite") == "0");
}

TEST_CASE("partitions: made, attached, detached, dropped") {
    DdlSource source("CREATE TABLE r (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)", "false", "r");
    source.run("CREATE TABLE p1 PARTITION OF r FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')");
    source.run("CREATE INDEX ON r (at)");
    source.run("ALTER TABLE r ADD COLUMN c int DEFAULT 1");
    source.run("CREATE TABLE p2 (LIKE r INCLUDING ALL)");
    source.run("ALTER TABLE r ATTACH PARTITION p2 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')");
    source.run("ALTER TABLE r DETACH PARTITION p1 CONCURRENTLY");
    source.run("ALTER TABLE p1 ADD COLUMN mine int");
    source.run("DROP TABLE p1");
    source.run("DROP TABLE r");
    check_said(source,
               Texts{"CREATE TABLE: schema public same; table public.p1 new",
                     "CREATE INDEX: index public.r_at_idx new; index public.p1_at_idx new",
                     "ALTER TABLE: table public.r changed columns; table public.p1 changed columns",
                     "ALTER TABLE: schema public same; table public.p2 new; index public.p2_at_idx new",
                     "ALTER TABLE: table public.p1 changed ancestors,bound,bound_by,columns,constraints,parents; index "
                     "public.p1_at_idx changed ancestors,parent",
                     "ALTER TABLE: table public.p1 changed columns", "DROP TABLE: table public.p1 gone",
                     "DROP TABLE: table public.r gone; table public.p2 gone"});
}

TEST_CASE("statistics, owners, schemas") {
    DdlSource source(one_table, "false", "t");
    const std::string role = "owner_" + source.group();
    source.run("CREATE ROLE " + role + "; GRANT CREATE ON SCHEMA public TO " + role);
    source.run("CREATE STATISTICS st ON id, v FROM t");
    source.run("COMMENT ON STATISTICS st IS 'of two'");
    source.run("ALTER TABLE t OWNER TO " + role);
    source.run("ALTER SCHEMA public RENAME TO pub");
    source.run("ALTER TABLE pub.t ADD COLUMN x int");
    source.run("CREATE SCHEMA app; ALTER TABLE pub.t SET SCHEMA app");
    source.run("DROP OWNED BY " + role);
    check_said(source,
               Texts{"CREATE STATISTICS: statistics public.st new", "COMMENT: statistics public.st changed comment",
                     "ALTER TABLE: table public.t changed owner", "ALTER SCHEMA: schema pub changed name",
                     "ALTER TABLE: table pub.t changed columns",
                     "ALTER TABLE: schema app same; table app.t changed schema", "DROP OWNED: table app.t gone"});
    source.run("DROP ROLE " + role);
}

TEST_CASE("indexes: built concurrently, built again, dropped concurrently") {
    DdlSource source(one_table, "false", "t");
    source.run("CREATE INDEX CONCURRENTLY t_concurrently_idx ON t (v)");
    source.run("REINDEX INDEX CONCURRENTLY t_concurrently_idx");
    source.run("ALTER TABLE t ALTER v SET STATISTICS 100");
    source.run("ALTER INDEX t_concurrently_idx SET (fillfactor = 50)");
    source.run("ALTER TABLE t ADD CONSTRAINT key UNIQUE (n)");
    source.run("ALTER INDEX key RENAME TO other_key");
    source.run("DROP INDEX CONCURRENTLY t_concurrently_idx");
    check_said(source, Texts{"CREATE INDEX: index public.t_concurrently_idx new",
                             "ALTER INDEX: index public.t_concurrently_idx changed definition,options",
                             "ALTER TABLE: table public.t changed constraints",
                             "ALTER INDEX: table public.t changed constraints",
                             "DROP INDEX: index public.t_concurrently_idx gone"});
}
