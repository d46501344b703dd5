// Schema pgsluice made by someone else, before us: nothing in it runs with our rights, on the source or on the target.
#include "sql/owned_objects.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/live/postgres_sink_fixture.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// A role that may create schemas in the database, and no more.
std::string make_attacker(PostgresServer& server, const std::string& database) {
    const std::string role = "mallory_" + database;
    server.sql(database, fmt::format("CREATE ROLE {0} LOGIN; GRANT CREATE ON DATABASE {1} TO {0}", role, database));
    return role;
}

// What runs as whoever calls it: with a superuser's rights, it makes the role a superuser.
std::string trap(const std::string& role) {
    return fmt::format(
        "CREATE FUNCTION pgsluice.trap() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF "
        "(SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN ALTER ROLE {} SUPERUSER; END IF; RETURN "
        "new; END$$; ",
        role);
}

std::string is_superuser(const std::string& role) {
    return "SELECT rolsuper FROM pg_roles WHERE rolname = '" + role + "'";
}

constexpr const char* capture_table =
    "CREATE TABLE pgsluice.ddl_capture (\"group\" text PRIMARY KEY, definition text NOT NULL, token text NOT NULL); ";
constexpr const char* attach_trap =
    "CREATE TRIGGER trap BEFORE INSERT OR UPDATE ON pgsluice.{} FOR EACH ROW EXECUTE FUNCTION pgsluice.trap()";

std::string after(const std::string& text, const std::string& mark, const std::string& end) {
    const auto at = text.find(mark);
    REQUIRE(at != std::string::npos);
    return text.substr(at + mark.size(), text.find(end, at + mark.size()) - at - mark.size());
}

// A table of ours, as ours or as changed by one statement, and what is said of it.
struct Changed {
    const char* statement;
    const char* said;
};

constexpr Changed all_changes[] = {
    {"ALTER SCHEMA pgsluice OWNER TO {0}", "schema pgsluice is owned by role {0}"},
    {"ALTER TABLE pgsluice.ddl_capture OWNER TO {0}", "table pgsluice.ddl_capture is owned by role {0}"},
    {"DROP TABLE pgsluice.ddl_capture; CREATE VIEW pgsluice.ddl_capture AS SELECT 'g' AS \"group\"",
     "pgsluice.ddl_capture is not an ordinary table; its owner is role "},
    {"CREATE TRIGGER t BEFORE INSERT ON pgsluice.ddl_capture FOR EACH ROW EXECUTE FUNCTION pgsluice.trap()",
     "trigger t on pgsluice.ddl_capture, of function pgsluice.trap(), owned by role {0}"},
    {"CREATE RULE r AS ON INSERT TO pgsluice.ddl_capture DO ALSO SELECT 1", "rule r on table pgsluice.ddl_capture"},
    {"CREATE POLICY p ON pgsluice.ddl_capture USING (token <> '')", "policy p on table pgsluice.ddl_capture"},
    {"ALTER TABLE pgsluice.ddl_capture ENABLE ROW LEVEL SECURITY", "row security of table pgsluice.ddl_capture"},
    {"CREATE TABLE pgsluice.child () INHERITS (pgsluice.ddl_capture)",
     "table pgsluice.child inherits from table pgsluice.ddl_capture"},
    {"CREATE TABLE pgsluice.above (token text); ALTER TABLE pgsluice.ddl_capture INHERIT pgsluice.above",
     "table pgsluice.ddl_capture inherits from table pgsluice.above"},
    {"ALTER TABLE pgsluice.ddl_capture ALTER token SET DEFAULT query_to_xml('SELECT 1', true, true, '')::text",
     "column token of table pgsluice.ddl_capture"},
    {"CREATE DOMAIN pgsluice.d AS text CHECK (value <> ''); ALTER TABLE pgsluice.ddl_capture ADD x text DEFAULT "
     "'x'::pgsluice.d",
     "column x of table pgsluice.ddl_capture"},
    {"ALTER TABLE pgsluice.ddl_capture ADD CHECK (token <> '')", "constraint ddl_capture_token_check of table"},
    {"CREATE INDEX i ON pgsluice.ddl_capture (lower(token))", "index pgsluice.i of table pgsluice.ddl_capture"},
    {"GRANT TRIGGER ON pgsluice.ddl_capture TO {0}", "table pgsluice.ddl_capture, on which role {0} may create trig"},
    {"CREATE FUNCTION pgsluice.ddl_g() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION pgsluice.ddl_g() OWNER "
     "TO {0}",
     "function pgsluice.ddl_g() is owned by role {0}"},
};

const sql::OwnedObjects capture{"pgsluice", {"ddl_capture"}, {"ddl_g"}};

}  // namespace

TEST_CASE("a schema that another role made first gets no rights from a superuser's --track-ddl") {
    Pipeline pipeline;
    PostgresServer& server = shared_postgres();
    const std::string role = make_attacker(server, pipeline.source_db());
    pipeline.on_source("SET ROLE " + role + "; CREATE SCHEMA pgsluice; " + capture_table + trap(role) +
                       fmt::format(fmt::runtime(attach_trap), "ddl_capture"));
    const Finished refused = run(pipeline.replicator_argv({"--track-ddl"}));
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "unable to use schema 'pgsluice' on the source"));
    CHECK(contains(refused.err, "table pgsluice.ddl_capture is owned by role " + role));
    CHECK(contains(refused.err, "trigger trap on pgsluice.ddl_capture"));
    CHECK(server.scalar("postgres", is_superuser(role)) == "f");

    pipeline.on_source(after(refused.err, "remove it as a superuser: ", ";"));  // as the hint says
    pipeline.start_replicator({"--track-ddl"});
    pipeline.await_stream();
    pipeline.stop_replicator();
    CHECK(server.scalar("postgres", is_superuser(role)) == "f");
}

TEST_CASE("a replicator that tracks no DDL does not use a hostile table either") {
    Pipeline pipeline;
    PostgresServer& server = shared_postgres();
    const std::string role = make_attacker(server, pipeline.source_db());
    pipeline.on_source("SET ROLE " + role + "; CREATE SCHEMA pgsluice; " + capture_table + trap(role) +
                       "CREATE TRIGGER trap BEFORE DELETE ON pgsluice.ddl_capture FOR EACH STATEMENT EXECUTE FUNCTION "
                       "pgsluice.trap(); CREATE FUNCTION pgsluice.ddl_" +
                       pipeline.group() + "() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    pipeline.start_replicator();
    pipeline.await_stream();
    CHECK(contains(pipeline.replicator().err(), "table pgsluice.ddl_capture is owned by role " + role));
    pipeline.stop_replicator();
    CHECK(server.scalar("postgres", is_superuser(role)) == "f");
}

TEST_CASE("nor from a superuser's worker on the target") {
    PostgresTarget target;
    const std::string role = make_attacker(target.server, target.database);
    target.sql("SET ROLE " + role +
               "; CREATE SCHEMA pgsluice; CREATE TABLE pgsluice.progress (\"group\" text, worker text, resume_seq "
               "bigint DEFAULT 0, position_lsn pg_lsn DEFAULT '0/0', position_ordinal bigint DEFAULT 0, loading_epoch "
               "bigint DEFAULT 0, begin_seq bigint DEFAULT 0, loading_tables text[] DEFAULT '{}', owner uuid, "
               "updated_at timestamptz DEFAULT now(), stream text NOT NULL DEFAULT '', PRIMARY KEY (\"group\", "
               "worker)); " +
               trap(role) + fmt::format(fmt::runtime(attach_trap), "progress") +
               "; ALTER TABLE pgsluice.progress ENABLE ALWAYS TRIGGER trap");
    std::string hint;
    try {
        target.open();
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.action() == Action::stop);
        CHECK(contains(error.what(), "unable to use schema 'pgsluice' on the target"));
        CHECK(contains(error.what(), "table pgsluice.progress is owned by role " + role));
        hint = error.hint();
    }
    CHECK(target.scalar(is_superuser(role)) == "f");
    SUBCASE("removed") { target.sql(after(hint, "remove it as a superuser: ", ";")); }
    SUBCASE("trusted, without the trigger") {
        target.sql(after(hint, "If you trust it and want to use this role from now on: ", "\n"));
    }
    CHECK_FALSE(target.open());
    CHECK(target.scalar(is_superuser(role)) == "f");
}

TEST_CASE("everything that hangs on a table of ours is named, with the statement that removes it") {
    PostgresServer& server = shared_postgres();
    const std::string database = server.create_database();
    const std::string role = make_attacker(server, database);
    sql::ConnectOptions options = server.connect(database);
    options.role = "source";
    sql::Connection connection(options);
    for (const Changed& changed : all_changes) {
        CAPTURE(changed.statement);
        server.sql(database,
                   "DROP SCHEMA IF EXISTS pgsluice CASCADE; CREATE SCHEMA pgsluice; GRANT ALL ON SCHEMA "
                   "pgsluice TO " +
                       role + "; " + capture_table + trap(role) + "ALTER FUNCTION pgsluice.trap() OWNER TO " + role);
        CHECK_NOTHROW(sql::require_owned(connection, capture));
        server.sql(database, fmt::format(fmt::runtime(changed.statement), role));
        try {
            sql::require_owned(connection, capture);
            FAIL_CHECK("no error");
        } catch (const Error& error) {
            CAPTURE(error.what());
            CHECK(contains(error.what(), fmt::format(fmt::runtime(changed.said), role)));
            server.sql(database, after(error.hint(), "If you trust it and want to use this role from now on: ", "\n"));
        }
        CHECK_NOTHROW(sql::require_owned(connection, capture));
    }
}
