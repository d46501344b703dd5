// --track-ddl from end to end: commands on the source reach the target in order with the rows, and the lines.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Texts = std::vector<std::string>;

void make_tables(Pipeline& pipeline) {
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY, v text, old int)");
    pipeline.on_source("INSERT INTO t VALUES (1, 'a', 7)");
}

const Texts tracked_tables = {"--copy-and-stream", "--track-ddl"};

std::string ddl_lines(Pipeline& pipeline, const Texts& more = {}) {
    Texts words = more;
    words.insert(words.end(), {"--exit-at-lsn", pipeline.source_scalar("SELECT pg_current_wal_lsn()")});
    const Finished worker = run(pipeline.worker_argv("stdout", words));
    INFO(worker.err);
    CHECK(worker.code == 0);
    return worker.out;
}

std::string captured(Pipeline& pipeline) {
    return pipeline.source_scalar(
        "SELECT (SELECT count(*) FROM pg_event_trigger WHERE evtname LIKE 'pgsluice%') || ' triggers, ' || "
        "(SELECT count(*) FROM pg_proc WHERE proname LIKE 'ddl_%' AND pronamespace = to_regnamespace('pgsluice')) || "
        "' functions, schema ' || (to_regnamespace('pgsluice') IS NOT NULL)");
}

}  // namespace

TEST_CASE("DDL and the rows after it reach the target in the order of the source") {
    Pipeline pipeline;
    make_tables(pipeline);
    pipeline.start(tracked_tables);
    pipeline.settle();
    for (const char* statement : {
             "ALTER TABLE t ADD COLUMN added varchar(20) DEFAULT 'none'",
             "INSERT INTO t VALUES (2, 'b', 8, 'new')",
             "ALTER TABLE t DROP COLUMN old",
             "UPDATE t SET added = 'changed' WHERE id = 1",
             "CREATE INDEX CONCURRENTLY t_v ON t (v)",
             "ALTER TABLE t RENAME COLUMN v TO value",
             "INSERT INTO t VALUES (3, 'c', 'third')",
             "COMMENT ON COLUMN t.value IS 'what it is worth'",
             "CREATE TABLE fresh (id serial PRIMARY KEY, parent int REFERENCES t, note text)",
             "INSERT INTO fresh (parent, note) VALUES (1, 'first'), (2, NULL)",
             "CREATE TABLE \"Odd name\" (id int PRIMARY KEY)",
             "INSERT INTO \"Odd name\" VALUES (1)",
             "CREATE TABLE gone (id int PRIMARY KEY)",
             "INSERT INTO gone VALUES (1)",
             "DROP TABLE gone",
             "ALTER TABLE t RENAME TO renamed",
             "INSERT INTO renamed VALUES (4, 'd', 'fourth')",
         })
        pipeline.on_source(statement);
    for (const std::string table : {"fresh", "\"Odd name\""})  // they join once their commands have been read
        eventually("the rows of " + table + " arrive", [&] {
            return pipeline.target_scalar("SELECT to_regclass('" + table + "') IS NOT NULL") == "t" &&
                   pipeline.target_rows(table) == pipeline.source_rows(table);
        });
    pipeline.check_equal({"renamed", "fresh", "\"Odd name\""});
    CHECK(pipeline.target_rows("renamed").size() == 4);
    CHECK(pipeline.target_scalar("SELECT to_regclass('t_v') IS NOT NULL AND to_regclass('gone') IS NULL") == "t");
    CHECK(pipeline.target_scalar("SELECT col_description('renamed'::regclass, 2)") == "what it is worth");
    CHECK(pipeline.source_scalar("SELECT count(*) FROM pg_publication_tables WHERE tablename = 'fresh'") == "1");
    pipeline.stop();
}

TEST_CASE("DDL inside a transaction is applied with it, DDL that was rolled back is not captured") {
    Pipeline pipeline;
    make_tables(pipeline);
    pipeline.start(tracked_tables);
    pipeline.settle();
    // One text for libpq, so that these commands come together and a target cannot run them; its worker ignores them.
    pipeline.on_source(
        "BEGIN; ALTER TABLE t ADD COLUMN never int; ROLLBACK; BEGIN; SAVEPOINT s; DROP TABLE t; ROLLBACK TO s; COMMIT");
    pipeline.on_source("INSERT INTO t VALUES (2, 'b', 8)");
    pipeline.check_equal({"t"});
    CHECK_FALSE(contains(ddl_lines(pipeline), "\"DDL\""));
    pipeline.stop();
}

TEST_CASE("DDL is a line between the others, without what columns with rules hold") {
    const TextFile rules("tables: {t: [{type: transform, column: v, parameters: {type: mask}}]}");
    Pipeline pipeline;
    make_tables(pipeline);
    pipeline.start_replicator(tracked_tables);
    pipeline.await_stream();
    pipeline.on_source("ALTER TABLE t ADD COLUMN w text DEFAULT 'shown', ALTER v SET DEFAULT 'canary'");
    pipeline.on_source("INSERT INTO t VALUES (2, 'b', 8, 'x')");
    pipeline.on_source("CREATE TABLE other (id int PRIMARY KEY)");
    pipeline.on_source("DROP TABLE other");
    pipeline.on_source("SELECT pg_logical_emit_message(true, 'pgsluice.ddl', '{\"tag\":\"forged\"}')");
    const std::string lines = ddl_lines(pipeline, {"--worker-name", "plain"});
    const auto ddl = lines.find(R"({"Type":"DDL","Schema":"public","Table":"t","LSN":)");
    REQUIRE(ddl != std::string::npos);
    CHECK(ddl < lines.find(R"("w":"x")"));
    CHECK(contains(
        lines,
        R"("Command":"ALTER TABLE","NewTuple":{"event_type":"ddl_command_end","object_type":"table",)"
        R"("object_identity":"public.t","ddl_command":"ALTER TABLE \"public\".\"t\" ADD COLUMN \"w\" text )"
        R"(DEFAULT 'shown'::text; ALTER TABLE ONLY \"public\".\"t\" ALTER COLUMN \"v\" SET DEFAULT 'canary'::text")"));
    CHECK(contains(lines, R"("Command":"DROP TABLE")"));
    CHECK_FALSE(contains(lines, "forged"));

    const std::string masked = ddl_lines(pipeline, {"--worker-name", "ruled", "--rules-config", rules.path()});
    CHECK(contains(masked, "ADD COLUMN \\\"w\\\" text DEFAULT 'shown'::text"));
    CHECK_FALSE(contains(masked, "canary"));
    const std::string debezium = ddl_lines(pipeline, {"--worker-name", "debezium", "--format", "debezium"});
    CHECK(contains(debezium, R"("message":{"prefix":"pgsluice.ddl","content":)"));
    pipeline.stop_replicator();
}

TEST_CASE("what is said of a new partition does not show where the table above it has rules") {
    const TextFile rules("tables: {t: [{type: transform, column: x, parameters: {type: mask}}]}");
    Pipeline pipeline;
    pipeline.on_source("CREATE TABLE t (id int PRIMARY KEY, x text) PARTITION BY RANGE (id)");
    pipeline.start_replicator(tracked_tables);
    pipeline.await_stream();
    pipeline.on_source("CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (1) TO (9) PARTITION BY RANGE (id)");
    pipeline.on_source("CREATE TABLE t2 PARTITION OF t1 FOR VALUES FROM (1) TO (9)");
    pipeline.on_source("COMMENT ON TABLE t2 IS 'canary'");
    const Finished worker =
        run(pipeline.worker_argv("stdout", {"--rules-config", rules.path(), "--exit-at-lsn",
                                            pipeline.source_scalar("SELECT pg_current_wal_lsn()")}));
    INFO(worker.err);
    CHECK(worker.code == 0);
    CHECK(contains(worker.out, R"(CREATE TABLE \"public\".\"t2\" PARTITION OF \"public\".\"t1\")"));
    CHECK_FALSE(contains(worker.out, "canary"));
    pipeline.stop_replicator();
}

TEST_CASE("a table with an excluded column is altered without it") {
    const TextFile rules("tables: {t: [{type: exclude_column, column: old}]}");
    Pipeline pipeline;
    pipeline.on_source("CREATE TABLE t (id int PRIMARY KEY, v text, old int)");
    pipeline.on_target("CREATE TABLE t (id int PRIMARY KEY, v text)");
    pipeline.start_replicator(tracked_tables);
    pipeline.start_worker({"--rules-config", rules.path()});
    pipeline.settle();
    pipeline.on_source(
        "ALTER TABLE t ADD COLUMN w int, ALTER old SET DEFAULT 5, ADD CHECK (old > 0), ADD CHECK (id > 0)");
    pipeline.on_source("INSERT INTO t VALUES (2, 'b', 2, 3)");
    pipeline.settle();
    CHECK(pipeline.target_rows("t") == Texts{"(2,b,3)"});
    CHECK(pipeline.target_scalar(
              "SELECT string_agg(conname, ',') FROM pg_constraint WHERE contype = 'c' AND conrelid = 't'::regclass") ==
          "t_id_check");
    pipeline.stop();
}

TEST_CASE("only the tables of the group are tracked, and teardown takes everything away") {
    Pipeline pipeline;
    make_tables(pipeline);
    CHECK(captured(pipeline) == "0 triggers, 0 functions, schema false");
    for (int start = 0; start < 2; ++start) {
        pipeline.start_replicator({"--copy-and-stream", "--track-ddl", "--tables", "t,settled"});
        pipeline.await_stream();
        CHECK(captured(pipeline) == "3 triggers, 1 functions, schema true");
        if (start == 0) pipeline.stop_replicator();
    }
    pipeline.on_source("CREATE TABLE elsewhere (id int PRIMARY KEY)");
    pipeline.on_source("ALTER TABLE elsewhere ADD COLUMN x int");
    pipeline.on_source("DROP TABLE elsewhere");
    pipeline.on_source("ALTER TABLE t ADD COLUMN x int");
    const std::string lines = ddl_lines(pipeline);
    CHECK_FALSE(contains(lines, "elsewhere"));
    CHECK(contains(lines, R"(ALTER TABLE \"public\".\"t\" ADD COLUMN \"x\" integer)"));
    pipeline.stop_replicator();

    const Texts teardown = {PGSLUICE_BINARY,  "teardown",         "--group",
                            pipeline.group(), "--source-url",     shared_postgres().url(pipeline.source_db()),
                            "--nats-url",     shared_nats().url()};
    const Finished list = run(teardown);
    CHECK(contains(list.out, "event trigger 'pgsluice_" + pipeline.group() + "_ddl'"));
    Texts yes = teardown;
    yes.emplace_back("--yes");
    CHECK(run(yes).code == 0);
    CHECK(captured(pipeline) == "0 triggers, 0 functions, schema false");
    pipeline.on_source("ALTER TABLE t ADD COLUMN y int");
}

TEST_CASE("a start without --track-ddl ends the capture") {
    Pipeline pipeline;
    make_tables(pipeline);
    pipeline.start_replicator(tracked_tables);
    pipeline.await_stream();
    pipeline.stop_replicator();
    pipeline.start_replicator();
    pipeline.await_stream();
    CHECK(captured(pipeline) == "0 triggers, 0 functions, schema false");
    pipeline.stop_replicator();
}

TEST_CASE("a role without superuser rights is told what it needs") {
    Pipeline pipeline;
    make_tables(pipeline);
    const std::string role = "lowly_" + pipeline.group();
    pipeline.on_source("CREATE ROLE " + role + " LOGIN REPLICATION; ALTER TABLE t OWNER TO " + role +
                       "; ALTER TABLE settled OWNER TO " + role + "; GRANT CREATE ON DATABASE " + pipeline.source_db() +
                       " TO " + role);
    Texts words = pipeline.replicator_argv(tracked_tables);
    words.insert(words.end(), {"--user", role});
    const Finished refused = run(words);
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "event triggers need a superuser"));
    CHECK(contains(refused.err, "leave --track-ddl out"));
    CHECK(captured(pipeline) == "0 triggers, 0 functions, schema false");

    // As the hint says.
    pipeline.start_replicator(tracked_tables);
    pipeline.await_stream();
    pipeline.stop_replicator();
    const auto grant = refused.err.find("GRANT EXECUTE ON FUNCTION ");
    REQUIRE(grant != std::string::npos);
    const std::string execute = refused.err.substr(grant, refused.err.find(" to the replicator's role") - grant);
    pipeline.on_source("GRANT USAGE ON SCHEMA pgsluice TO " + role + "; GRANT SELECT ON pgsluice.ddl_capture, " +
                       "pgsluice.ddl_event TO " + role + "; " + execute + " TO " + role +
                       "; ALTER PUBLICATION pgsluice_" + pipeline.group() + " OWNER TO " + role);
    pipeline.start_replicator({"--copy-and-stream", "--track-ddl", "--user", role});
    pipeline.await_stream();
    pipeline.stop_replicator();
}
