// pgsluice check: what is wrong with a target, after rules and routing, is found in one run, and each way out is
// followed to the letter.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>

#include "tests/live/check_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/pgbouncer.h"
#include "tests/support/pipeline.h"

using namespace pgsluice::test;

namespace {

// Two databases, and a role `writer_<group>` of the target.
struct Target {
    Target() { pipeline.on_target(fmt::format("CREATE ROLE {} LOGIN", writer)); }

    [[nodiscard]] std::string url(const std::string& role, int port = shared_postgres().port()) const {
        return fmt::format("postgres://{}@127.0.0.1:{}/{}", role, port, pipeline.target_db());
    }
    [[nodiscard]] std::vector<std::string> argv(const std::string& role, std::vector<std::string> more) const {
        std::vector<std::string> words{PGSLUICE_BINARY,    "check",
                                       "--group",          pipeline.group(),
                                       "--source-url",     shared_postgres().url(pipeline.source_db()),
                                       "--target-url",     url(role),
                                       "--nats-url",       shared_nats().url(),
                                       "--copy-and-stream"};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }
    [[nodiscard]] CheckReport check(const std::vector<std::string>& more = {}) const {
        return CheckReport(argv(writer, more));
    }
    [[nodiscard]] CheckReport check_as(const std::string& role, const std::vector<std::string>& more = {}) const {
        return CheckReport(argv(role, more));
    }
    // A file, for rules or routes.
    [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
        const std::string path = directory + "/" + name;
        std::ofstream(path) << text;
        return path;
    }

    Pipeline pipeline;
    std::string writer = "writer_" + pipeline.group();
    std::string directory = temporary_directory("check_target");
};

// To the end of the line, without the full stop.
std::string statement_in(const std::string& line, const std::string& begin) {
    const std::string found = said(line, begin);
    return found.substr(0, found.rfind('.'));
}

std::string objects(Target& target) {
    return target.pipeline.target_scalar(
        "SELECT concat((SELECT string_agg(nspname, ',' ORDER BY 1) FROM pg_namespace), ';', (SELECT count(*) FROM "
        "pg_class), ';', (SELECT count(*) FROM pg_attribute), ';', (SELECT count(*) FROM pg_proc), ';', (SELECT "
        "count(*) FROM pg_replication_origin))");
}

}  // namespace

TEST_CASE("check: all that is wrong with a target is in one report, and each way out works") {
    if (hardened_by_environment()) return;
    Target target;
    Pipeline& pipeline = target.pipeline;
    pipeline.on_source(
        "CREATE TABLE missing (id int PRIMARY KEY); CREATE TABLE narrow (id bigint PRIMARY KEY, v text, n int, extra "
        "int); CREATE TABLE keyless (id int PRIMARY KEY); CREATE TABLE filled (id int PRIMARY KEY)");
    pipeline.on_target(
        "CREATE TABLE narrow (id int PRIMARY KEY, v varchar(5), n int NOT NULL, extra int); CREATE TABLE keyless (id "
        "int, own int NOT NULL DEFAULT 1); CREATE TABLE filled (id serial PRIMARY KEY, must int NOT NULL); INSERT INTO "
        "filled VALUES (1, 1)");
    const std::string before = objects(target);

    const CheckReport report = target.check();
    CHECK(report.finished.code == 2);
    CHECK(objects(target) == before);
    const auto fail = [&](const std::string& part) { return report.line("fail target: ", part); };
    const auto warn = [&](const std::string& part) { return report.line("warn target: ", part); };
    const std::string own = fail("unable to create schema 'pgsluice' on the target");
    fail("unable to write to 'public.missing': the target has no such table");
    const std::string must = fail("column 'must' of the target's table 'public.filled' is NOT NULL without a default");
    const std::string id = warn(
        "column 'id' of the target's table 'public.narrow' is integer, and on the source "
        "bigint");
    const std::string v = warn(
        "column 'v' of the target's table 'public.narrow' is character varying(5), and on the "
        "source text");
    const std::string n = warn(
        "column 'n' of the target's table 'public.narrow' is NOT NULL, and on the source it is "
        "not");
    const std::string key =
        warn("the target's table 'public.keyless' has no unique index on the key of its rows (\"id\")");
    const std::string select =
        fail(fmt::format("role {} may not SELECT, INSERT, UPDATE, DELETE, TRUNCATE on public.filled, public.keyless, "
                         "public.narrow, public.settled",
                         target.writer));
    const std::string sequence = fail("may not use sequence public.filled_id_seq");

    // To the letter.
    pipeline.on_target(said(own, "GRANT CREATE ON DATABASE", "; or CREATE"));
    pipeline.on_target(said(must, "ALTER TABLE", ", or give"));
    for (const std::string& line : {id, v, n, key}) pipeline.on_target(statement_in(line, "ALTER TABLE"));
    pipeline.on_target(statement_in(select, "GRANT"));
    pipeline.on_target(statement_in(sequence, "GRANT"));
    const CheckReport filled = target.check();
    INFO(filled.text());
    const std::string rows = filled.line(
        "fail target: ", "unable to start the copy: the target already holds rows in \"public\".\"filled\"");
    CHECK(contains(rows, "or choose --target-existing-rows truncate"));
    const std::vector<std::string> more{"--target-existing-rows", "truncate"};
    pipeline.on_target("CREATE TABLE missing (id int PRIMARY KEY); GRANT ALL ON missing TO " + target.writer);
    const CheckReport after = target.check(more);
    INFO(after.text());
    CHECK_FALSE(after.has("fail"));
    CHECK_FALSE(after.has("warn target"));

    pipeline.on_source("INSERT INTO narrow VALUES (1, 'longer than five'), (2, NULL); INSERT INTO filled VALUES (7)");
    pipeline.always({}, {"--target-user", target.writer});
    pipeline.start_replicator();
    pipeline.start_worker(more);
    pipeline.check_equal({"narrow", "keyless", "missing"});
    pipeline.stop();
}

TEST_CASE("check: columns that the target lacks") {
    if (hardened_by_environment()) return;
    Target target;
    target.pipeline.on_source("CREATE TABLE t (id int PRIMARY KEY, a int, b text)");
    target.pipeline.on_target("CREATE TABLE t (id int PRIMARY KEY)");
    const CheckReport report = target.check_as("postgres");
    const std::string a = report.line("fail target: ", "the target's table has no column 'a'");
    const std::string b = report.line("fail target: ", "the target's table has no column 'b'");
    CHECK_FALSE(target.check_as("postgres", {"--on-missing-column", "add"}).has("fail target"));
    CHECK_FALSE(target.check_as("postgres", {"--on-missing-column", "ignore"}).has("fail target"));
    CHECK_FALSE(target.check_as("postgres", {"--target-sync-schema"})
                    .has("fail target: unable to write to 'public.t'"
                         ": the target has no such table"));
    CHECK(target.pipeline.target_scalar("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > "
                                        "0") == "1");
    for (const std::string& line : {a, b}) target.pipeline.on_target(said(line, "ALTER TABLE", "; or leave"));
    const CheckReport after = target.check_as("postgres");
    INFO(after.text());
    CHECK_FALSE(after.has("fail"));
}

TEST_CASE("check: tables as rules and routes make them") {
    if (hardened_by_environment()) return;
    Target target;
    target.pipeline.on_source("CREATE TABLE users (id int PRIMARY KEY, email text, secret text)");
    target.pipeline.on_target("CREATE TABLE people (id int PRIMARY KEY, mail text)");
    const std::string routes = target.file(
        "routes.yaml", "users: {destination_table: people, column_mappings: [{source: email, destination: mail}]}\n");
    const std::string rules =
        target.file("rules.yaml", "tables:\n  users:\n    - {type: exclude_column, column: secret}\n");
    const std::vector<std::string> files{"--rules-config", rules, "--routing-config", routes};
    const CheckReport good = target.check_as("postgres", files);
    INFO(good.text());
    CHECK_FALSE(good.has("fail"));
    good.line("ok   rules: ", "of 2 tables, 2 would be delivered");
    CHECK(target.check_as("postgres").has("fail target: unable to write to 'public.users'"));

    const std::string wrong = target.file("wrong.yaml",
                                          "tables:\n  users:\n    - {type: exclude_column, column: secrets}\n  user:\n "
                                          "   - {type: exclude_column, column: x}\n");
    const CheckReport bad = target.check_as("postgres", {"--rules-config", wrong, "--routing-config", routes});
    CHECK(bad.finished.code == 2);
    bad.line("fail rules: ", "secrets");
    bad.line("warn rules: ", "name table 'user', which is not replicated: is it misspelt?");
    const CheckReport unreadable = target.check_as("postgres", {"--rules-config", target.directory + "/none.yaml"});
    unreadable.line("fail rules: ", "none.yaml");
    unreadable.line("skip target: ", "its tables");
}

TEST_CASE("check: triggers and foreign keys that fire, and rights to switch them off") {
    if (hardened_by_environment()) return;
    Target target;
    Pipeline& pipeline = target.pipeline;
    pipeline.on_both("CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, parent int)");
    pipeline.on_target(fmt::format(
        "ALTER TABLE child ADD CONSTRAINT to_parent FOREIGN KEY (parent) REFERENCES parent; CREATE FUNCTION f() "
        "RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER noted BEFORE INSERT ON child FOR "
        "EACH ROW EXECUTE FUNCTION f(); ALTER TABLE child OWNER TO {0}; ALTER TABLE parent OWNER TO {0}; ALTER TABLE "
        "settled OWNER TO {0}; ALTER FUNCTION f() OWNER TO {0}; CREATE SCHEMA pgsluice AUTHORIZATION {0}",
        target.writer));
    const CheckReport report = target.check();
    INFO(report.text());
    report.line("warn target: ", "trigger 'noted' of 'public.child' fires");
    const std::string key = report.line("warn target: ", "foreign key 'to_parent' of 'public.child' is checked");
    CHECK(contains(key, "(GRANT SET ON PARAMETER)"));
    const CheckReport refused = target.check({"--target-disable-foreign-keys"});
    const std::string grant = refused.line("fail target: ", "unable to disable foreign keys on the target");
    if (shared_servers().target.version() < 150000) return;  // only a superuser may then
    pipeline.on_target(said(grant, "GRANT SET ON PARAMETER", "; or leave"));
    const CheckReport after = target.check({"--target-disable-foreign-keys"});
    INFO(after.text());
    CHECK_FALSE(after.has("fail"));
    CHECK_FALSE(after.has("warn target"));
    pipeline.on_target("REVOKE SET ON PARAMETER session_replication_role FROM " + target.writer);
}

TEST_CASE("check: code of others on a table, a read-only target, and a role for what is made") {
    if (hardened_by_environment()) return;
    Target target;
    Pipeline& pipeline = target.pipeline;
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY)");
    pipeline.on_target(fmt::format(
        "CREATE ROLE other_{0}; CREATE FUNCTION leak(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END'; "
        "ALTER FUNCTION leak(int) OWNER TO other_{0}; ALTER TABLE t ADD CHECK (leak(id)); ALTER TABLE t OWNER TO "
        "other_{0}; GRANT ALL ON t, settled TO {1}; CREATE SCHEMA pgsluice AUTHORIZATION {1}; ALTER ROLE {1} SET "
        "default_transaction_read_only = on",
        pipeline.group(), target.writer));
    const CheckReport report = target.check({"--target-owner", "other_" + pipeline.group()});
    INFO(report.text());
    const std::string code = report.line("fail target: ", "which would run with the rights of the worker's role");
    report.line("fail target: ", "its transactions are read-only");
    const std::string owner = report.line("fail target: ", "unable to use --target-owner");
    pipeline.on_target(said(code, "GRANT", ", so that the worker"));
    pipeline.on_target("ALTER ROLE " + target.writer + " RESET default_transaction_read_only");
    CHECK(contains(owner, "As a superuser, run on the target: GRANT"));
    const CheckReport after = target.check({"--target-owner", "other_" + pipeline.group()});
    INFO(after.text());
    CHECK_FALSE(after.has("fail"));
}

TEST_CASE("check: poolers in between") {
    if (hardened_by_environment()) return;
    Target target;
    const PgBouncer shares(shared_postgres(), {.pool_mode = "transaction"});
    const PgBouncer sessions(shared_postgres(), {.pool_mode = "session"});
    const auto through = [&](int port) {
        return CheckReport({PGSLUICE_BINARY, "check", "--group", target.pipeline.group(), "--source-url",
                            shared_postgres().url(target.pipeline.source_db(), port), "--target-url",
                            target.url("postgres", port), "--nats-url", shared_nats().url()});
    };
    const CheckReport report = through(shares.port());
    report.line("fail source: ", "a connection pooler in transaction mode is in between");
    report.line("fail target: ", "a connection pooler in transaction mode is in between");
    const CheckReport alone = through(sessions.port());
    INFO(alone.text());
    CHECK_FALSE(alone.has("fail target"));
}

TEST_CASE("check: row security, origins and rights to make tables on the target") {
    if (hardened_by_environment()) return;
    Target target;
    Pipeline& pipeline = target.pipeline;
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY)");
    pipeline.on_source("CREATE SCHEMA away; CREATE TABLE away.u (id int PRIMARY KEY); CREATE TABLE v (id int)");
    const std::string slot = "pgsluice_back_" + pipeline.group();
    pipeline.on_target(fmt::format(
        "CREATE SCHEMA pgsluice AUTHORIZATION {0}; GRANT ALL ON t, settled TO {0}; ALTER TABLE t ENABLE ROW LEVEL "
        "SECURITY",
        target.writer));
    pipeline.on_target("SELECT pg_create_logical_replication_slot('" + slot + "', 'pgoutput')");
    const std::vector<std::string> flags{"--target-sync-schema", "--schemas", "public,away"};
    const CheckReport report = target.check(flags);
    INFO(report.text());
    const std::string security = report.line("fail target: ", "row security applies to role");
    const std::string origins = report.line("fail target: ", "cannot be marked with a replication origin");
    const std::string schema = report.line("fail target: ", "that are missing in schema public");
    const std::string database = report.line("fail target: ", "that are missing in schema away");
    CHECK_FALSE(target.check({"--target-unmarked", "--target-sync-schema"}).has("fail target: what is written"));
    pipeline.on_target(said(security, "ALTER ROLE", "."));
    pipeline.on_target(said(origins, "GRANT EXECUTE", "."));
    pipeline.on_target(said(schema, "GRANT CREATE ON SCHEMA", "."));
    pipeline.on_target(said(database, "GRANT CREATE ON DATABASE", "."));
    const CheckReport after = target.check(flags);
    INFO(after.text());
    CHECK_FALSE(after.has("fail"));
    pipeline.on_target("SELECT pg_drop_replication_slot('" + slot + "')");
}

TEST_CASE("check: a worker without a source, against the tables that the group has") {
    if (hardened_by_environment()) return;
    Target target;
    target.pipeline.on_source("CREATE TABLE t (id int PRIMARY KEY, v text)");
    const auto check = [&] {
        return CheckReport({PGSLUICE_BINARY, "check", "--group", target.pipeline.group(), "--target-url",
                            target.url("postgres"), "--nats-url", shared_nats().url()});
    };
    check().line("skip target: ", "give the source, or start the replicator first");
    target.pipeline.start_replicator({"--copy"});
    CHECK(target.pipeline.replicator().wait() == 0);
    check().line("fail target: ", "unable to write to 'public.t': the target has no such table");
    target.pipeline.on_target("CREATE TABLE t (id int PRIMARY KEY, more int NOT NULL)");
    const CheckReport report = check();
    report.line("fail target: ", "the target's table has no column 'v'");
    report.line("fail target: ", "column 'more' of the target's table 'public.t' is NOT NULL without a default");
    target.pipeline.on_target("DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text)");
    const CheckReport after = check();
    INFO(after.text());
    CHECK(after.finished.code == 0);
}
