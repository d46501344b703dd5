// pgsluice check: what is wrong with a source is found in one run, each way out is followed to the letter, and nothing
// is made.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "stream/names.h"
#include "tests/live/check_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/nats_server.h"
#include "tests/support/postgres_server.h"

using namespace pgsluice::test;

namespace {

// A source whose role `cdc` has no rights but to log in.
using ServerSettings = std::map<std::string, std::string>;

struct Source {
    explicit Source(const ServerSettings& settings)
        : server({.settings = settings, .hardened = false}), database(server.create_database()) {
        sql("CREATE ROLE cdc LOGIN; CREATE ROLE app; GRANT CREATE ON SCHEMA public TO app; CREATE SCHEMA s "
            "AUTHORIZATION app; SET ROLE app; CREATE TABLE s.a (id int PRIMARY KEY); CREATE TABLE public.plain (v "
            "int); CREATE TABLE public.hidden (id int PRIMARY KEY); ALTER TABLE public.hidden ENABLE ROW LEVEL "
            "SECURITY; CREATE POLICY none ON public.hidden USING (false)");
    }

    void sql(const std::string& statements) { server.sql(database, statements); }
    [[nodiscard]] std::string url(const std::string& role) const {
        return fmt::format("postgres://{}@127.0.0.1:{}/{}", role, server.port(), database);
    }
    [[nodiscard]] std::vector<std::string> argv(const std::string& command, std::vector<std::string> more) const {
        std::vector<std::string> words{PGSLUICE_BINARY, command,    "--group",    group,
                                       "--source-url",  url("cdc"), "--nats-url", shared_nats().url()};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }
    [[nodiscard]] CheckReport check(const std::vector<std::string>& more) const {
        return CheckReport(argv("check", more));
    }

    PostgresServer server;
    std::string database;
    std::string group = "check_" + std::to_string(server.port());
};

// Everything that a run could have made.
std::string objects(Source& source) {
    return source.server.scalar(
        source.database,
        "SELECT concat((SELECT string_agg(pubname, ',') FROM pg_publication), ';', (SELECT string_agg(slot_name, ',' "
        "ORDER BY 1) FROM pg_replication_slots), ';', (SELECT string_agg(nspname, ',' ORDER BY 1) FROM pg_namespace), "
        "';', (SELECT count(*) FROM pg_class), ';', (SELECT count(*) FROM pg_proc), ';', (SELECT count(*) FROM "
        "pg_event_trigger), ';', (SELECT count(*) FROM pg_auth_members))");
}

void restart(Source& source) {
    source.server.stop_immediate();
    source.server.start();
}

}  // namespace

TEST_CASE("check: all that is wrong with a source is in one report, and each way out works") {
    Source source(ServerSettings{{"wal_level", "replica"}, {"max_replication_slots", "1"}});
    source.sql("SELECT pg_create_physical_replication_slot('taken')");
    const std::string before = objects(source);
    const std::vector<std::string> flags{"--copy-and-stream", "--tables", "s.a,plain,hidden,missing"};

    const CheckReport report = source.check(flags);
    CHECK(report.finished.code == 2);
    CHECK(objects(source) == before);
    const auto fail = [&](const std::string& part) { return report.line("fail source: ", part); };
    const std::string level = fail("its wal_level is 'replica', not 'logical'");
    const std::string replication = fail("Give the role the right to replicate");
    const std::string slots = fail("all 1 are in use");
    fail("unable to find table 'public.missing'");
    const std::string publication = fail("role cdc may not make publication");
    CHECK(contains(publication,
                   "it is no member of app, which owns public.hidden, public.plain, s.a; it may not "
                   "create in database"));
    const std::string usage = fail("role cdc may not use schema s");
    const std::string select = fail("role cdc may not read public.hidden, public.plain, s.a");
    const std::string security = fail("row security hides rows of public.hidden from role cdc");
    const std::string limit = report.line("warn source: ", "max_slot_wal_keep_size is not set");
    report.line("warn source: ", "table 'public.plain' has no replica identity");

    // To the letter.
    source.sql(said(level, "ALTER SYSTEM SET wal_level = logical", " on the source"));
    source.sql(said(replication, "ALTER ROLE", " ... REPLICATION") + " cdc REPLICATION");
    source.sql("SELECT pg_drop_replication_slot('taken')");
    CHECK(contains(slots, "Drop a slot that is no longer needed (SELECT pg_drop_replication_slot('name'))"));
    source.sql(said(usage, "GRANT USAGE", "."));
    source.sql(said(select, "GRANT SELECT ON", " TO cdc.") + " TO cdc");
    source.sql(said(security, "ALTER ROLE cdc BYPASSRLS", "."));
    source.sql(said(limit, "ALTER SYSTEM SET max_slot_wal_keep_size", "; SELECT pg_reload_conf"));
    SUBCASE("the role may make the publication") {
        source.sql(said(publication, "GRANT app TO cdc", "; or make the publication yourself"));
    }
    SUBCASE("or it is made for it") { source.sql(said(publication, "CREATE PUBLICATION", ").") + ")"); }
    source.sql("ALTER TABLE public.plain REPLICA IDENTITY FULL");
    restart(source);

    const std::vector<std::string> mended{"--copy-and-stream", "--tables", "s.a,plain,hidden"};
    const CheckReport after = source.check(mended);
    INFO(after.text());
    CHECK_FALSE(after.has("fail"));
    // Where there is one slot, a table that joins finds none.
    after.line("warn source: ", "replication slots are in use: when a table joins the group");
    CHECK(after.finished.code == 1);
    const Finished copied = run(source.argv("replicator", {"--copy", "--tables", "s.a,plain,hidden"}));
    INFO(copied.err);
    CHECK(copied.code == 0);
}

TEST_CASE("check: a source that cannot be reached, and one that is not given") {
    const CheckReport report({PGSLUICE_BINARY, "check", "--group", "nowhere", "--source-url",
                              "postgres://x@127.0.0.1:1/x", "--nats-url", shared_nats().url()});
    CHECK(report.finished.code == 2);
    report.line("fail source: ", "unable to connect");
    const CheckReport without({PGSLUICE_BINARY, "check", "--group", "nowhere", "--nats-url", shared_nats().url()});
    INFO(without.text());
    without.line("skip source: ", "not checked");
    CHECK(without.finished.code == 0);
}

TEST_CASE("check: room on the source, for slots, walsenders, connections and locks") {
    Source source(
        ServerSettings{{"max_wal_senders", "1"}, {"max_connections", "12"}, {"max_locks_per_transaction", "10"}});
    source.sql(
        "ALTER ROLE cdc SUPERUSER; CREATE TABLE public.r (id int PRIMARY KEY) PARTITION BY RANGE (id); DO "
        "$$BEGIN FOR i IN 1..40 LOOP EXECUTE format('CREATE TABLE public.r%s PARTITION OF public.r FOR VALUES "
        "FROM (%s) TO (%s)', i, i, i + 1); END LOOP; END$$");
    const std::vector<std::string> flags{"--copy-and-stream", "--tables", "r", "--max-copy-workers", "8"};
    const CheckReport report = source.check(flags);
    INFO(report.text());
    CHECK(report.finished.code == 1);
    const std::string senders = report.line("warn source: ", "walsenders are in use: when a table joins");
    const std::string connections =
        report.line("warn source: ", "connections are free, and a replicator takes up to 12");
    const std::string locks = report.line("warn source: ", "locks (40 tables on 9 connections)");
    SUBCASE("the limits are raised") {
        CHECK(contains(senders, "Raise max_wal_senders on the source and restart it."));
        CHECK(
            contains(connections, "Raise max_connections on the source and restart it, or lower --max-copy-workers."));
        CHECK(contains(locks, "Raise max_locks_per_transaction on the source and restart it, or lower"));
        source.sql("ALTER SYSTEM SET max_wal_senders = 5");
        source.sql("ALTER SYSTEM SET max_connections = 40");
        source.sql("ALTER SYSTEM SET max_locks_per_transaction = 64");
        restart(source);
        const CheckReport after = source.check(flags);
        INFO(after.text());
        for (const char* what : {"walsenders are in use: when", "connections are free", "locks ("})
            CHECK_FALSE(contains(after.finished.out, what));
    }
    SUBCASE("or fewer connections copy") {
        const CheckReport after = source.check({"--copy-and-stream", "--tables", "r", "--max-copy-workers", "1"});
        INFO(after.text());
        for (const char* what : {"connections are free", "locks ("}) CHECK_FALSE(contains(after.finished.out, what));
    }
}

TEST_CASE("check: transactions that the slot would have to wait for") {
    Source source(ServerSettings{{"max_prepared_transactions", "2"}});
    source.sql("ALTER ROLE cdc REPLICATION; GRANT app TO cdc");
    source.sql("BEGIN; CREATE TABLE public.prepared (id int); PREPARE TRANSACTION 'left over'");
    pgsluice::sql::Connection writer(source.server.connect(source.database));
    writer.exec("BEGIN; CREATE TABLE public.late (id int)");
    const std::vector<std::string> flags{"--tables", "s.a"};
    std::string line;
    eventually("the prepared transaction is old enough", [&] {
        const CheckReport report = source.check(flags);
        if (!contains(report.finished.out, "transaction 'left over' has been prepared for 1")) return false;
        line = report.line("warn source: ", "has been writing in one transaction for more than a second");
        source.sql(said(report.line("warn source: ", "left over"), "ROLLBACK PREPARED", "."));
        return true;
    });
    // Who may read statistics sees since when.
    source.sql("GRANT pg_read_all_stats TO cdc");
    CHECK_FALSE(contains(source.check(flags).finished.out, "more than a second"));
    source.sql(said(line, "SELECT pg_terminate_backend(", "."));
    const CheckReport after = source.check(flags);
    INFO(after.text());
    after.line("ok   source: ", "no transaction has been writing for long");
}

TEST_CASE("check: a publication that is not as it must be") {
    Source source(ServerSettings{});
    source.sql("ALTER ROLE cdc REPLICATION; GRANT USAGE ON SCHEMA s TO cdc; GRANT SELECT ON s.a TO cdc");
    const std::vector<std::string> flags{"--copy-and-stream", "--tables", "s.a"};
    const auto refused = [&](const std::string& part) { return source.check(flags).line("fail source: ", part); };
    const std::string name = "pgsluice_" + source.group;
    SUBCASE("of other tables") {
        source.sql(fmt::format("CREATE PUBLICATION {} FOR TABLE public.plain WITH (publish = 'insert')", name));
        const std::string said_so =
            said(refused("is not as it must be, and role cdc may not alter it"), "ALTER PUBLICATION");
        source.sql(said_so.substr(0, said_so.rfind('.')));
    }
    SUBCASE("of all tables") {
        source.sql(fmt::format("CREATE PUBLICATION {} FOR ALL TABLES", name));
        source.sql(said(refused("it is FOR ALL TABLES"), "DROP PUBLICATION", "."));
        source.sql("GRANT app TO cdc; GRANT CREATE ON DATABASE " + source.database + " TO cdc");
    }
    const CheckReport after = source.check(flags);
    INFO(after.text());
    CHECK_FALSE(after.has("fail"));
    const Finished copied = run(source.argv("replicator", {"--copy", "--tables", "s.a"}));
    INFO(copied.err);
    CHECK(copied.code == 0);
}

TEST_CASE("check: DDL that the role cannot capture, extensions, partitions that are excluded, another's slot") {
    Source source(ServerSettings{});
    source.sql("ALTER ROLE cdc REPLICATION; GRANT app TO cdc; GRANT CREATE ON DATABASE " + source.database +
               " TO cdc; CREATE EXTENSION pg_trgm; CREATE TABLE public.part_of (id int PRIMARY KEY); ALTER EXTENSION "
               "pg_trgm ADD TABLE public.part_of; GRANT SELECT ON public.part_of TO cdc");
    source.sql("ALTER TABLE public.hidden DISABLE ROW LEVEL SECURITY");
    const CheckReport report = source.check({"--track-ddl"});
    INFO(report.text());
    report.line("fail source: ", "unable to capture DDL for group");
    report.line("ok   source: ", "table 'public.part_of' is left out: it belongs to extension 'pg_trgm'");
    CHECK_FALSE(source.check({}).has("fail"));
    source.sql(fmt::format("SELECT pg_create_logical_replication_slot('pgsluice_{}', 'test_decoding')", source.group));
    source.check({}).line("fail group: ", "it was not made by pgsluice");
    source.sql(fmt::format("SELECT pg_drop_replication_slot('pgsluice_{}')", source.group));
    CHECK_FALSE(source.check({}).has("fail"));
}

TEST_CASE("check: as JSON") {
    Source source(ServerSettings{});
    const CheckReport report = source.check({"--json"});
    CHECK(report.finished.code == 2);
    CHECK(contains(report.finished.out, R"({"result":"fail","findings":[{"level":"ok","part":"source","text":")"));
    CHECK(contains(report.finished.out, R"("way_out":"Run on the source: GRANT SELECT ON )"));
    CHECK(report.lines.size() == 1);
}
