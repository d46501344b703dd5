// Which tables a group gets: patterns, several schemas, exclusions, members of extensions.
#include <doctest/doctest.h>

#include "tests/live/replicator_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

const std::string shop =
    "CREATE SCHEMA sales; CREATE SCHEMA logs; CREATE SCHEMA \"s*\";"
    "CREATE TABLE sales.orders (id int PRIMARY KEY); CREATE TABLE sales.items (id int PRIMARY KEY);"
    "CREATE TABLE logs.events_1 (id int PRIMARY KEY); CREATE TABLE logs.errors (id int PRIMARY KEY);"
    "CREATE TABLE \"s*\".t (id int PRIMARY KEY);"
    "CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE events_2 (id int PRIMARY KEY)";

std::string published(ReplicatorRun& run) {
    return run.scalar(
        "SELECT string_agg(schemaname || '.' || tablename, ' ' ORDER BY schemaname, tablename) FROM "
        "pg_publication_tables");
}

// What is published after a start with these options.
std::string selected(ReplicatorRun& run) {
    run.start();
    REQUIRE(run.wait_running());
    run.stop();
    return published(run);
}

void check_stops(const Error& error, const std::string& text, const std::string& hint) {
    CHECK(error.action() == Action::stop);
    CHECK(std::string(error.what()).find(text) != std::string::npos);
    CHECK(error.hint().find(hint) != std::string::npos);
}

}  // namespace

TEST_CASE("tables are chosen by schema, by pattern and by exclusion") {
    ReplicatorRun run(shop);
    SUBCASE("patterns") {
        run.options.tables = {"sales.*", "*.events_*"};
        CHECK(selected(run) == "logs.events_1 public.events_2 sales.items sales.orders");
        CHECK(run.logged("selected tables (4): logs.events_1, public.events_2, sales.items, sales.orders"));
    }
    SUBCASE("whole schemas beside a name") {
        run.options.schemas = {"sales", "logs"};
        run.options.tables = {"users"};
        CHECK(selected(run) == "logs.errors logs.events_1 public.users sales.items sales.orders");
    }
    SUBCASE("all schemas but some tables") {
        run.options.all_schemas = true;
        run.options.exclude_tables = {"logs.*", "users"};
        CHECK(selected(run) == "public.events_2 s*.t sales.items sales.orders");
    }
    SUBCASE("a star in quotes") {
        run.options.tables = {"\"s*\".*"};
        CHECK(selected(run) == "s*.t");
    }
    SUBCASE("a name is exact, and not listed") {
        run.options.tables = {"users"};
        CHECK(selected(run) == "public.users");
        CHECK_FALSE(run.logged("selected tables"));
    }
}

TEST_CASE("a pattern that matches nothing is said, a name that matches nothing is an error") {
    ReplicatorRun run(shop);
    run.options.tables = {"users", "sales.none*"};
    run.options.exclude_tables = {"gone"};
    CHECK(selected(run) == "public.users");
    CHECK(run.logged("no table matches 'sales.none*' yet"));
    CHECK(run.logged("no table matches 'public.gone', which is to be excluded"));
    run.options.tables = {"sales.none*"};
    check_stops(run.error(), "unable to find tables to replicate: 'sales.none*'", "--tables");
    run.options.tables = {"users", "sales.none"};
    check_stops(run.error(), "unable to find table 'sales.none'", "Create the table first");
    run.options.tables.clear();
    run.options.schemas = {"sales", "nowhere"};
    check_stops(run.error(), "unable to find schema 'nowhere'", "Correct --schemas.");
}

TEST_CASE("a table that comes to match a pattern joins with its rows at the next start") {
    ReplicatorRun run(shop + "; INSERT INTO sales.orders VALUES (1)");
    run.options.mode = ReplicatorMode::copy_and_stream;
    run.options.tables = {"sales.*"};
    run.start();
    REQUIRE(run.wait_inserted(1));
    run.stop();
    run.sql(
        "CREATE TABLE sales.late (id int PRIMARY KEY); INSERT INTO sales.late VALUES (2); "
        "CREATE TABLE logs.late (id int PRIMARY KEY); INSERT INTO logs.late VALUES (3)");
    run.start();
    REQUIRE(run.wait_inserted(2));
    run.sql("INSERT INTO sales.late VALUES (4)");
    REQUIRE(run.wait_inserted(3));
    run.stop();
    CHECK(run.inserted() == std::vector<std::string>{"1", "2", "4"});
}

TEST_CASE("a partition cannot be excluded while its root is replicated") {
    ReplicatorRun run(
        "CREATE TABLE r (id int PRIMARY KEY) PARTITION BY RANGE (id);"
        "CREATE TABLE r_1 PARTITION OF r FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE r_2 PARTITION OF r FOR VALUES FROM (10) TO (20)");
    run.options.exclude_tables = {"r_1"};
    check_stops(run.error(), "unable to exclude table 'public.r_1': it is a partition of 'public.r'",
                "Exclude 'public.r' as well");
    CHECK(run.publications() == 0);
    run.options.exclude_tables = {"r_1", "public.r"};
    CHECK(selected(run) == "public.r_2");
}

TEST_CASE("members of extensions are left out unless they are named") {
    ReplicatorRun run(
        "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE spatial_ref_sys (id int PRIMARY KEY);"
        "ALTER EXTENSION plpgsql ADD TABLE spatial_ref_sys");
    CHECK(selected(run) == "public.t");
    CHECK(
        run.logged("table 'public.spatial_ref_sys' is left out: it belongs to extension 'plpgsql'; name it in "
                   "--tables to replicate it"));
    run.options.tables = {"*"};
    CHECK(selected(run) == "public.t");
    run.options.tables = {"*", "spatial_ref_sys"};
    CHECK(selected(run) == "public.spatial_ref_sys public.t");
    run.sql("ALTER EXTENSION plpgsql DROP TABLE spatial_ref_sys");
}

TEST_CASE("captured DDL takes in the new tables that a pattern is about, and no others") {
    ReplicatorRun run(shop);
    run.options.track_ddl = true;
    run.options.tables = {"users", "sales.*"};
    run.options.exclude_tables = {"sales.*_old"};
    run.start();
    REQUIRE(run.wait_running());
    run.sql(
        "CREATE TABLE logs.more (id int PRIMARY KEY); CREATE TABLE sales.a_old (id int PRIMARY KEY);"
        "CREATE TABLE sales.more (id int PRIMARY KEY)");
    REQUIRE(eventually("the table is published",
                       [&] { return published(run) == "public.users sales.items sales.more sales.orders"; }));
    run.stop();
}
