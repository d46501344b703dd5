// --ddl-objects: views, functions, triggers and policies reach the target as the source has them.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;
using rules_test::TextFile;

namespace {

const std::vector<std::string> all = {"--copy-and-stream", "--track-ddl", "--ddl-objects",
                                      "views,functions,triggers,policies,grants"};

constexpr const char* state = R"(
SELECT coalesce(string_agg(line, E'\n' ORDER BY line), '') FROM (
    SELECT concat_ws(' ', 'view', c.relname, pg_get_viewdef(c.oid), c.reloptions::text, obj_description(c.oid, 'pg_class'))
    FROM pg_class c WHERE c.relkind = 'v' AND c.relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', 'function', pg_get_functiondef(p.oid), obj_description(p.oid, 'pg_proc'))
    FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prokind <> 'a'
    UNION ALL
    SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(oid), tgenabled, obj_description(oid, 'pg_trigger'))
    FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT concat_ws(' ', 'policy', polname, polrelid::regclass, polcmd, polpermissive, polroles::regrole[]::text,
                     pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid), obj_description(oid, 'pg_policy'))
    FROM pg_policy) AS s (line))";

struct Objects : Pipeline {
    explicit Objects(const std::vector<std::string>& worker = {}) {
        on_both("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (id int PRIMARY KEY, w text)");
        start_replicator(all);
        start_worker(worker);
        settle();
    }
    void both_after(const std::string& statement) {
        CAPTURE(statement);
        on_source(statement);
        settle();
        CHECK(target_scalar(state) == source_scalar(state));
    }
    Finished ddl(const std::string& what) {
        return run({PGSLUICE_BINARY, "ddl", what, "--group", group(), "--worker-name", "postgres", "--nats-url",
                    shared_nats().url()});
    }
    std::string has(const std::string& relation) {
        return target_scalar("SELECT to_regclass('" + relation + "') IS NOT NULL");
    }
};

}  // namespace

TEST_CASE("views") {
    Objects group;
    for (const char* statement :
         {"CREATE VIEW a AS SELECT id, v FROM t WHERE v <> 'x'", "CREATE VIEW b (n) AS SELECT id FROM a",
          "CREATE OR REPLACE VIEW a AS SELECT id, v, 1 AS one FROM t", "COMMENT ON VIEW a IS 'what it shows'",
          "ALTER VIEW a SET (security_barrier = true)", "ALTER VIEW a RENAME COLUMN one TO two",
          "ALTER VIEW a RENAME TO \"A b\"", "ALTER TABLE t RENAME v TO value; COMMENT ON VIEW \"A b\" IS 'other'",
          "CREATE SCHEMA s; ALTER VIEW b SET SCHEMA s", "ALTER VIEW s.b SET SCHEMA public",
          "DO $$BEGIN CREATE VIEW c AS SELECT t.id, u.w FROM t JOIN u USING (id); END$$", "DROP VIEW \"A b\" CASCADE",
          "CREATE VIEW d AS SELECT * FROM u; DROP TABLE u CASCADE",
          "BEGIN; INSERT INTO t VALUES (1, 'x'); CREATE VIEW e AS SELECT * FROM t; INSERT INTO t VALUES (2, 'y'); "
          "COMMIT"})
        group.both_after(statement);
    CHECK(group.has("e") == "t");
    CHECK(group.target_scalar("SELECT count(*) FROM e") == "2");
    group.on_source("CREATE MATERIALIZED VIEW m AS SELECT * FROM t; CREATE VIEW none AS SELECT 1 AS one");
    group.settle();
    CHECK(group.has("m") == "f");
    CHECK(group.has("none") == "f");
    group.stop();
}

TEST_CASE("functions") {
    Objects group;
    for (const char* statement :
         {"CREATE FUNCTION f(a int, b text DEFAULT 'x') RETURNS int LANGUAGE sql AS 'SELECT a'",
          "CREATE OR REPLACE FUNCTION f(a int, b text DEFAULT 'y') RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + "
          "1'",
          "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$BEGIN PERFORM * FROM nowhere; END$$",
          "COMMENT ON FUNCTION f() IS 'it''s'", "ALTER FUNCTION f(int, text) RENAME TO g",
          "CREATE PROCEDURE p(INOUT a int) LANGUAGE plpgsql AS 'BEGIN a := 1; END'",
          "ALTER FUNCTION g COST 7 SET work_mem = '1MB'", "CREATE SCHEMA s; ALTER FUNCTION f() SET SCHEMA s",
          "ALTER FUNCTION s.f() SET SCHEMA public", "DROP FUNCTION f()", "DROP PROCEDURE p; DROP FUNCTION g"})
        group.both_after(statement);
    group.stop();
}

TEST_CASE("triggers and their functions") {
    Objects group;
    for (const char* statement :
         {"CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
          "$$BEGIN INSERT INTO u VALUES (NEW.id, 'noted'); RETURN NEW; END$$",
          "CREATE TRIGGER a AFTER INSERT ON t FOR EACH ROW WHEN (new.v <> 'x') EXECUTE FUNCTION note()",
          "CREATE OR REPLACE TRIGGER a AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION note()",
          "CREATE CONSTRAINT TRIGGER c AFTER UPDATE OF v ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE "
          "FUNCTION note()",
          "ALTER TRIGGER a ON t RENAME TO b", "ALTER TABLE t DISABLE TRIGGER c", "COMMENT ON TRIGGER b ON t IS 'x'",
          "INSERT INTO t VALUES (1, 'one')", "ALTER TABLE t RENAME TO t2", "ALTER TABLE t2 RENAME TO t",
          "ALTER TABLE t ENABLE REPLICA TRIGGER c", "DROP TRIGGER c ON t", "DROP FUNCTION note() CASCADE"})
        group.both_after(statement);
    group.check_equal({"t", "u"});  // it did not fire on the target
    group.stop();
}

TEST_CASE("policies") {
    Objects group;
    group.on_source("CREATE ROLE reader_" + group.group());
    for (const std::string& statement :
         {std::string("ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (v <> 'secret')"),
          std::string("CREATE POLICY q ON t AS RESTRICTIVE FOR INSERT WITH CHECK (id > 0)"),
          std::string("ALTER POLICY p ON t TO reader_") + group.group() + " USING (v = 'x') WITH CHECK (true)",
          std::string("ALTER POLICY q ON t RENAME TO r; COMMENT ON POLICY r ON t IS 'x'"),
          std::string("DROP POLICY r ON t")})
        group.both_after(statement);
    group.stop();
}

TEST_CASE("rights on tables") {
    Objects group;
    const std::string reader = "granted_" + group.group();
    constexpr const char* rights =
        "SELECT coalesce(string_agg(concat_ws(' ', c.relname, l.attname, a.grantee::regrole, a.privilege_type, "
        "a.is_grantable), ', ' ORDER BY c.relname, l.attname, a.grantee, a.privilege_type), '') FROM pg_class c, "
        "LATERAL "
        "(SELECT NULL::name "
        "AS attname, c.relacl AS acl UNION ALL SELECT attname, attacl FROM pg_attribute WHERE attrelid = c.oid AND "
        "attnum > 0) l, "
        "aclexplode(l.acl) a WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.grantee <> "
        "c.relowner";
    group.on_source("CREATE ROLE " + reader);
    for (const std::string& statement :
         {"GRANT SELECT ON t TO " + reader, "GRANT INSERT (id), UPDATE (v) ON t TO " + reader + " WITH GRANT OPTION",
          std::string("GRANT ALL ON u TO PUBLIC"), "REVOKE INSERT (id) ON t FROM " + reader,
          "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO " + reader +
              "; CREATE TABLE later (id int PRIMARY KEY)",
          std::string("REVOKE ALL ON u FROM PUBLIC"), std::string("DROP TABLE later")}) {
        CAPTURE(statement);
        group.on_source(statement);
        group.settle();
        CHECK(group.target_scalar(rights) == group.source_scalar(rights));
    }
    CHECK(contains(group.source_scalar(rights), reader));
    group.stop();
}

TEST_CASE("not asked for, nothing of it is captured, and policy leaves out kinds") {
    Objects group({"--ddl-policy", "view=ignore"});
    group.on_source("CREATE VIEW a AS SELECT id FROM t");
    group.settle();
    CHECK(group.has("a") == "f");
    group.on_source("COMMENT ON VIEW a IS 'x'; DROP VIEW a");
    group.settle();
    group.stop_replicator();
    group.start_replicator({"--copy-and-stream", "--track-ddl"});
    group.await_stream();
    group.on_source("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    group.settle();
    CHECK(group.target_scalar("SELECT to_regproc('f') IS NULL") == "t");
    group.stop();
}

TEST_CASE("a view of a routed table waits for a decision") {
    const TextFile routes("t: {destination_table: moved}");
    Pipeline group;
    group.on_source("CREATE TABLE t (id int PRIMARY KEY, v text)");
    group.on_target("CREATE TABLE moved (id int PRIMARY KEY, v text); CREATE TABLE t (own int)");
    group.start_replicator(all);
    group.start_worker({"--routing-config", routes.path()});
    group.settle();
    group.on_source("CREATE VIEW a AS SELECT id FROM t; INSERT INTO t VALUES (1, 'x')");
    CHECK(says(group.worker(), "waiting for a decision: unable to apply create view on view 'public.a'"));
    CHECK(says(group.worker(), "it names table 'public.t', which is routed elsewhere"));
    const Finished skipped = run({PGSLUICE_BINARY, "ddl", "skip", "--group", group.group(), "--worker-name", "postgres",
                                  "--nats-url", shared_nats().url()});
    CHECK(contains(skipped.out, "decided: skip"));
    group.settle();
    CHECK(group.target_scalar("SELECT count(*) FROM moved") == "1");
    CHECK(group.target_scalar("SELECT to_regclass('a') IS NULL") == "t");
    group.on_source("DROP VIEW a");
    group.settle();
    group.stop();
}

TEST_CASE("a SECURITY DEFINER function does not get the rights of the worker's role by itself") {
    Objects group;
    group.on_source("CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'");
    CHECK(says(group.worker(), "waiting for a decision: unable to apply create function on function 'public.f()'"));
    CHECK(says(group.worker(), "would run with the rights of the worker's role"));
    CHECK(contains(group.ddl("apply").out, "decided: apply"));
    group.settle();
    CHECK(group.target_scalar("SELECT prosecdef FROM pg_proc WHERE proname = 'f'") == "t");
    group.stop();
}

TEST_CASE("what the owner of a view's table may not read is not shown by the view") {
    Objects group({"--ddl-policy", "owner=ignore"});
    const std::string owner = "owner_" + group.group();
    group.on_target("CREATE ROLE " + owner + "; ALTER TABLE t OWNER TO " + owner +
                    "; GRANT CREATE ON SCHEMA public TO " + owner + "; CREATE TABLE secrets (id int, s text)");
    group.on_source("CREATE TABLE secrets (id int, s text); CREATE VIEW a AS SELECT t.id, s FROM t, secrets");
    group.settle();
    CHECK(group.target_scalar("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'a'") == owner);
    CHECK_THROWS_WITH(group.on_target("SELECT * FROM a"), doctest::Contains("permission denied for table secrets"));
    group.stop();
}
