// Messages that look like captured DDL, written by others than the group's event triggers.
#include <doctest/doctest.h>

#include "sql/connection.h"
#include "tests/support/hint.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using Texts = std::vector<std::string>;

const Texts tracked = {"--copy-and-stream", "--track-ddl"};

std::string statement_message(const std::string& command) {
    return R"({"event":"ddl_command_end","tag":"ALTER TABLE","command":")" + command +
           R"(","search_path":"public","objects":[{"type":"table","identity":"public.t","schema":"public","table":"t"}]})";
}

// A group that tracks DDL and has written and applied one command.
struct Tracked {
    Tracked() {
        pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY)");
        pipeline.start(tracked);
        pipeline.settle();
        pipeline.on_source("ALTER TABLE t ADD COLUMN a int");
        pipeline.settle();
        pipeline.on_source("CREATE ROLE " + spy() + " LOGIN; GRANT pg_read_all_data TO " + spy());
    }
    ~Tracked() { pipeline.on_source("DROP OWNED BY " + spy() + "; DROP ROLE " + spy()); }
    [[nodiscard]] std::string spy() const { return "spy_" + pipeline.group(); }
    [[nodiscard]] std::string prefix() const { return "pgsluice.ddl/" + pipeline.group() + "/"; }
    void as_spy(const std::string& statements) { pipeline.on_source("SET ROLE " + spy() + "; " + statements); }
    [[nodiscard]] std::string target_columns() {
        return pipeline.target_scalar(
            "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 't'::regclass AND "
            "attnum "
            "> 0 AND NOT attisdropped");
    }
    std::size_t ignored() { return count(pipeline.replicator().err(), "ignoring a DDL message"); }

    Pipeline pipeline;
};

}  // namespace

TEST_CASE("who may read everything can write no DDL message that is executed") {
    Tracked group;
    CHECK(group.target_columns() == "id,a");
    const std::string forged = statement_message("ALTER TABLE t ADD COLUMN forged int");
    // All that can be read: the notes, and what earlier versions kept as a secret.
    group.as_spy("SELECT pg_logical_emit_message(true, '" + group.prefix() + "' || token, '" + forged +
                 "') FROM pgsluice.ddl_capture");
    group.as_spy("SELECT pg_logical_emit_message(true, '" + group.prefix() + "' || id, '" + forged +
                 "') FROM pgsluice.ddl_event");
    group.as_spy("SELECT pg_logical_emit_message(true, '" + group.prefix() + "it''s none', '" + forged + "')");
    group.pipeline.settle();
    CHECK(group.target_columns() == "id,a");
    CHECK(group.ignored() == 3);
    CHECK_THROWS(group.as_spy("INSERT INTO pgsluice.ddl_event VALUES ('g', 'x', pg_current_xact_id(), 'y')"));

    group.pipeline.on_source("ALTER TABLE t ADD COLUMN b int");
    group.pipeline.settle();
    CHECK(group.target_columns() == "id,a,b");
    group.pipeline.stop();
}

TEST_CASE("a note counts for one message of its transaction") {
    Tracked group;
    pgsluice::sql::Connection session(shared_postgres().connect(group.pipeline.source_db()));
    session.exec("BEGIN");
    session.exec("ALTER TABLE public.t ADD COLUMN d int");
    session.exec("SELECT pg_logical_emit_message(true, '" + group.prefix() +
                 "' || id, 'anything else') FROM pgsluice.ddl_event WHERE xid = pg_current_xact_id()");
    session.exec("COMMIT");
    group.pipeline.settle();
    CHECK(group.target_columns() == "id,a,d");
    CHECK(group.ignored() == 1);
    group.pipeline.stop();
}

TEST_CASE("triggers of an earlier version: what they wrote is read, their secret is then worth nothing") {
    Tracked group;
    group.pipeline.stop();
    const std::string earlier = group.prefix() + "0123456789abcdef";
    for (const char* trigger : {"ddl", "drop", "rewrite"})  // that version's own did not fire for a replica's session
        group.pipeline.on_source("DROP EVENT TRIGGER pgsluice_" + group.pipeline.group() + "_" + trigger);
    group.pipeline.on_source(
        "UPDATE pgsluice.ddl_capture SET token = '0123456789abcdef', definition = 'earlier'; "
        "DROP TABLE pgsluice.ddl_event");
    group.pipeline.on_source(
        "SET session_replication_role = replica; BEGIN; ALTER TABLE t ADD COLUMN old int; "
        "SELECT pg_logical_emit_message(true, '" +
        earlier + "', '" + statement_message("ALTER TABLE t ADD COLUMN old int") + "'); COMMIT");
    group.pipeline.start(tracked);
    group.pipeline.settle();
    CHECK(group.target_columns() == "id,a,old");
    CHECK(group.ignored() == 0);
    CHECK(group.pipeline.source_scalar("SELECT token ~ '^0123456789abcdef until [0-9A-F]+/[0-9A-F]+$' FROM "
                                       "pgsluice.ddl_capture") == "t");
    group.as_spy("SELECT pg_logical_emit_message(true, '" + earlier + "', '" +
                 statement_message("ALTER TABLE t ADD COLUMN forged int") + "')");
    group.pipeline.on_source("ALTER TABLE t ADD COLUMN b int");
    group.pipeline.settle();
    CHECK(group.target_columns() == "id,a,old,b");
    CHECK(group.ignored() == 1);
    group.pipeline.stop();
}

TEST_CASE("who may write the notes is named, and the hint helps") {
    Tracked group;
    group.pipeline.stop();
    group.pipeline.on_source("GRANT INSERT ON pgsluice.ddl_event TO " + group.spy());
    const Finished refused = run(group.pipeline.replicator_argv(tracked));
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, group.spy() + " may write to table pgsluice.ddl_event"));
    const std::string hint = hint_in(refused.err);
    CHECK(hint.starts_with("Run on the source: "));
    group.pipeline.on_source(said(hint, "REVOKE ALL ON pgsluice.ddl_event FROM " + group.spy(), ";"));
    group.pipeline.start(tracked);
    group.pipeline.on_source("ALTER TABLE t ADD COLUMN b int");
    group.pipeline.settle();
    CHECK(group.target_columns() == "id,a,b");
    group.pipeline.stop();
}

TEST_CASE("a role that could read the earlier version's table can read the notes once a superuser has replaced it") {
    Tracked group;
    group.pipeline.stop();
    const std::string role = "cdc_" + group.pipeline.group();
    group.pipeline.on_source("CREATE ROLE " + role + " LOGIN REPLICATION; GRANT USAGE ON SCHEMA pgsluice TO " + role +
                             "; GRANT SELECT ON pgsluice.ddl_capture TO " + role +
                             "; GRANT SELECT ON ALL TABLES IN SCHEMA public TO " + role +
                             "; DROP TABLE pgsluice.ddl_event; UPDATE pgsluice.ddl_capture SET definition = 'earlier'");
    const Finished refused = run(group.pipeline.replicator_argv({"--copy-and-stream", "--track-ddl", "--user", role}));
    CAPTURE(refused.err);
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "event triggers need a superuser"));
    group.pipeline.start(tracked);
    group.pipeline.settle();
    group.pipeline.stop();
    CHECK(group.pipeline.source_scalar("SELECT has_table_privilege('" + role +
                                       "', 'pgsluice.ddl_event', 'SELECT') AND NOT has_table_privilege('" + role +
                                       "', 'pgsluice.ddl_event', 'INSERT')") == "t");
    group.pipeline.on_source("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

TEST_CASE("notes of what the slot has passed are removed, without waiting for others") {
    Tracked group;
    group.pipeline.on_source("INSERT INTO pgsluice.ddl_event SELECT '" + group.pipeline.group() +
                             "', 'old' || i, '3'::xid8, '' FROM generate_series(1, 10) i");
    eventually("the old notes are gone", [&, times = 0]() mutable {
        group.pipeline.on_source("COMMENT ON TABLE t IS 'again " + std::to_string(++times) + "'");
        return group.pipeline.source_scalar("SELECT count(*) FROM pgsluice.ddl_event WHERE id LIKE 'old%'") == "0";
    });
    group.pipeline.on_source("BEGIN ISOLATION LEVEL SERIALIZABLE; COMMENT ON TABLE t IS 'serial'; COMMIT");
    group.pipeline.on_source("ALTER TABLE t ADD COLUMN b int");
    group.pipeline.settle();
    CHECK(group.target_columns() == "id,a,b");
    group.pipeline.stop();
}

TEST_CASE("a command does not look through the notes that a stopped replicator leaves") {
    Tracked group;
    group.pipeline.stop();
    const std::string notes = "'" + group.pipeline.group() + "', 'young' || i, pg_current_xact_id(), ''";
    group.pipeline.on_source("INSERT INTO pgsluice.ddl_event SELECT " + notes + " FROM generate_series(1, 5000) i");
    sql::Connection session(shared_servers().source.connect(group.pipeline.source_db()));
    session.exec("BEGIN");
    for (int i = 0; i < 100; ++i) session.exec("COMMENT ON TABLE public.t IS '" + std::to_string(i) + "'");
    const auto read = session.exec(
        "SELECT pg_stat_get_xact_numscans(t), pg_stat_get_xact_tuples_fetched(t) FROM "
        "CAST('pgsluice.ddl_event' AS regclass) t");
    CHECK(read.integer(0, 0) == 0);
    CHECK(read.integer(0, 1) < 1000);
    session.exec("ROLLBACK");
}
