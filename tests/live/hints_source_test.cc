// The hints with which a replicator refuses its source: each is followed to the letter, and it then starts.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/live/replicator_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using Tables = std::vector<std::string>;

std::string hint_of(ReplicatorRun& run, const std::string& part) {
    const Error error = run.error();
    INFO(error.what());
    CHECK_MESSAGE(contains(error.hint(), part), error.hint());
    return error.hint();
}

void check_starts(ReplicatorRun& run) {
    run.start();
    CHECK(run.wait_running());
    run.stop();
}

constexpr const char* one_table = "CREATE TABLE t (a int PRIMARY KEY)";

}  // namespace

TEST_CASE("names of tables and schemas") {
    ReplicatorRun run(std::string(one_table) +
                      "; CREATE VIEW v AS SELECT 1; CREATE TABLE \"Mixed\" (a int PRIMARY KEY); CREATE SCHEMA nothing");
    const auto with_tables = [&](const Tables& tables) -> ReplicatorRun& {
        run.options.tables = tables;
        return run;
    };
    SUBCASE("one that is missing is created") {
        hint_of(with_tables({"t", "missing"}), "Create the table first, or correct --tables and --schema.");
        run.sql("CREATE TABLE missing (a int PRIMARY KEY)");
    }
    SUBCASE("or the name is corrected") {
        hint_of(with_tables({"tt"}), "Create the table first, or correct --tables and --schema.");
        with_tables({"t"});
    }
    SUBCASE("one in another case") {
        hint_of(with_tables({"mixed"}),
                "Did you mean 'public.Mixed'? Names are taken as they are written, upper and lower case too.");
        with_tables({"public.Mixed"});
    }
    SUBCASE("one that is no table") {
        hint_of(with_tables({"t", "v"}), "Leave it out of --tables.");
        with_tables({"t"});
    }
    SUBCASE("a schema that is missing") {
        run.options.schema = "nowhere";
        hint_of(run, "Correct --schema.");
        run.options.schema = "public";
    }
    SUBCASE("schemas of which one is missing") {
        run.options.schemas = {"public", "nowhere"};
        hint_of(run, "Correct --schemas.");
        run.options.schemas = {"public"};
    }
    const std::string create = "Create the tables first, or select others with --tables, --schemas or --schema.";
    SUBCASE("an empty schema: tables are created") {
        run.options.schema = "nothing";
        hint_of(run, create);
        run.sql("CREATE TABLE nothing.t (a int PRIMARY KEY)");
    }
    SUBCASE("an empty schema: others are selected") {
        run.options.schema = "nothing";
        hint_of(run, create);
        with_tables({"public.t"});
    }
    SUBCASE("nothing is left of a pattern") {
        with_tables({"none*"});
        hint_of(run, create);
        with_tables({"t*"});
    }
    check_starts(run);
}

TEST_CASE("a partition that is excluded without its root") {
    ReplicatorRun run(
        "CREATE TABLE r (id int PRIMARY KEY) PARTITION BY RANGE (id);"
        "CREATE TABLE r_1 PARTITION OF r FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE r_2 PARTITION OF r FOR VALUES FROM (10) TO (20)");
    run.options.exclude_tables = {"r_1"};
    hint_of(run, "Exclude 'public.r' as well, and select the partitions that you want by name or pattern.");
    run.options.exclude_tables = {"r_1", "public.r"};
    SUBCASE("by name") { run.options.tables = {"r_2"}; }
    SUBCASE("by pattern") { run.options.tables = {"r_*"}; }
    check_starts(run);
}

TEST_CASE("a partition that is a foreign table") {
    ReplicatorRun run(
        "CREATE TABLE r (id int) PARTITION BY RANGE (id);"
        "CREATE TABLE r_1 PARTITION OF r FOR VALUES FROM (0) TO (10);"
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;"
        "CREATE FOREIGN TABLE r_2 PARTITION OF r FOR VALUES FROM (10) TO (20) SERVER s");
    run.options.tables = {"r"};
    hint_of(run, "Name the partitions that are local one by one in --tables.");
    run.options.tables = {"r_1"};
    check_starts(run);
}

TEST_CASE("wal_level, and room for a slot") {
    PostgresServer server({.settings = {{"wal_level", "replica"}, {"max_replication_slots", "1"}}});
    ReplicatorRun run(one_table, server);
    static int runs = 0;  // the databases of servers of their own have the same names
    run.options.names = names_for("wal_" + std::to_string(++runs));
    const auto restart = [&] {
        server.stop_immediate();
        server.start();
    };
    run.sql(said(hint_of(run, "on the source and restart it."), "ALTER SYSTEM SET wal_level = logical", " on the"));
    restart();
    run.sql("SELECT pg_create_physical_replication_slot('name')");
    const std::string hint = hint_of(run, "or raise max_replication_slots and restart the source.");
    SUBCASE("one is dropped") { run.sql(said(hint, "SELECT pg_drop_replication_slot(", ") or")); }
    SUBCASE("the limit is raised") {
        run.sql("ALTER SYSTEM SET max_replication_slots = 2");
        restart();
    }
    check_starts(run);
}

TEST_CASE("a role without the right to replicate") {
    ReplicatorRun run(one_table);
    const std::string role = "reader_" + run.database;
    run.sql("CREATE ROLE " + role + " LOGIN; GRANT SELECT ON t TO " + role);
    run.options.source.user = role;
    run.options.mode = ReplicatorMode::copy;
    hint_of(run, "Give the role the right to replicate: ALTER ROLE ... REPLICATION");
    run.sql("ALTER ROLE " + role + " REPLICATION");
    run.start();
    run.join();
    run.sql("REVOKE ALL ON t FROM " + role + "; DROP ROLE " + role);
}

TEST_CASE("a new partition that the role may not read") {
    ReplicatorRun run("CREATE TABLE r (id int PRIMARY KEY) PARTITION BY RANGE (id)");
    const std::string role = "reader_" + run.database;
    run.sql(
        fmt::format("CREATE ROLE {0} LOGIN REPLICATION; GRANT SELECT ON r TO {0}; CREATE PUBLICATION {1} FOR TABLE "
                    "ONLY r WITH (publish = 'insert, update, delete, truncate')",
                    role, run.options.names.publication));
    run.options.source.user = role;
    run.options.tables = {"r"};
    run.start();
    REQUIRE(run.wait_running());
    run.sql("CREATE TABLE \"R 1\" PARTITION OF r FOR VALUES FROM (0) TO (10)");
    const std::string grant = "GRANT SELECT ON \"public\".\"R 1\" TO " + role;
    CHECK(eventually("it says so", [&] { return run.logged("our role may not read it. Run " + grant + "."); }));
    run.sql(grant);
    CHECK(eventually("it joins", [&] { return run.logged("table 'public.R 1' is new in the group"); }));
    run.stop();
    run.sql("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

TEST_CASE("a publication of the group's name that is for all tables") {
    ReplicatorRun run(one_table);
    const std::string name = run.options.names.publication;
    run.sql("CREATE PUBLICATION " + name + " FOR ALL TABLES");
    const std::string hint = hint_of(run, "Choose another --group. If nothing needs the publication any more: ");
    SUBCASE("dropped") { run.sql(said(hint, "DROP PUBLICATION ", ".")); }
    SUBCASE("another group") { run.options.names = names_for(run.database + "_b"); }
    check_starts(run);
}

TEST_CASE("a group that has no tables any more") {
    ReplicatorRun run(one_table);
    run.options.tables = {"t*"};
    check_starts(run);
    run.sql("DROP TABLE t");
    hint_of(run, "Create the tables first, or select others with --tables, --schemas or --schema.");
    run.sql(one_table);
    check_starts(run);
}

TEST_CASE("a standby, and then its primary") {
    PostgresServer server;
    ReplicatorRun run(one_table, server);
    run.options.names = names_for("standby");
    server.stop_immediate();
    const std::string signal = server.data_directory() + "/standby.signal";
    REQUIRE(test::run({"touch", signal}).code == 0);
    server.start();
    hint_of(run, "Connect to the primary");  // from PostgreSQL 16 on a standby may do, too
    server.stop_immediate();
    REQUIRE(test::run({"rm", signal}).code == 0);
    server.start();
    check_starts(run);
}
