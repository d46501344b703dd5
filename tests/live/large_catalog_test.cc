// In a database of many tables, what looks at one table reads that table's rows of the catalogs, and no catalog whole.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "sinks/postgres/array.h"
#include "sinks/postgres/rights/table_guard.h"
#include "sinks/postgres/sequences/sequences.h"
#include "sinks/postgres/target.h"
#include "sql/catalog.h"
#include "sql/definition/definition_text.h"
#include "tests/live/postgres_sink_fixture.h"
#include "tests/live/quiet_server.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

constexpr int tables = 400;

// How many rows of its catalogs are read.
class LargeDatabase : public PostgresTarget {
   public:
    LargeDatabase() : PostgresTarget(quiet_server()) {
        sql(fmt::format(
            "CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE DOMAIN natural_number AS int CHECK (VALUE >= 0);"
            "DO $$ BEGIN FOR i IN 1..{} LOOP "
            "EXECUTE format('CREATE TABLE many_%s (id serial PRIMARY KEY, n int CHECK (n > 0), m mood)', i); "
            "EXECUTE format('CREATE TABLE root_%s (id int PRIMARY KEY, p int) PARTITION BY RANGE (id)', i); "
            "EXECUTE format('CREATE TABLE leaf_%1$s PARTITION OF root_%1$s FOR VALUES FROM (0) TO (100)', i); "
            "END LOOP; END $$; ANALYZE",
            tables));
        relation = make_relation("public", "many_1", {"id integer*", "n integer", "m mood"});
    }

    template <typename Work>
    long reads(Work&& work) {
        const long before = read();
        work();
        sink.reset();
        return read() - before;
    }
    template <typename Work>
    long reads_of_session(Work&& work) {
        return reads([&] {
            sql::Connection connection(server.connect(database));
            work(connection);
        });
    }
    std::vector<std::uint32_t> numbers(const std::string& condition) {
        std::vector<std::uint32_t> found;
        for (const std::string& row : rows("SELECT oid FROM pg_class WHERE " + condition))
            found.push_back(static_cast<std::uint32_t>(std::stoul(row)));
        return found;
    }

    RelationPtr relation;

   private:
    long read() {
        await_end_of_sessions(database);
        return std::stol(
            scalar("SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_sys_tables WHERE relname <> "
                   "'pg_statistic'"));
    }
};

// Of tables, constraints, columns or indexes the catalogs hold at least so many rows.
constexpr long whole_catalog = 3L * tables;

}  // namespace

TEST_CASE("batches for tables with constraints, enums or partitions look at these tables alone") {
    LargeDatabase target;
    const auto part = make_relation("public", "root_7", {"id integer*", "p integer"});
    constexpr int batches = 40;
    const auto apply = [&](int count) {
        return target.reads([&] {
            target.open();
            SinkFeed feed;
            for (int i = 0; i < count; ++i) {
                feed.insert(target.relation, {text(std::to_string(i + count * 100)), text("1"), text("good")});
                feed.insert(part, {text(std::to_string(i + (count == 1 ? 90 : 0))), text("1")});
                target.sink->apply(feed.complete());
            }
        });
    };
    const long one = apply(1);
    const long many = apply(batches);
    CHECK(target.scalar("SELECT count(*) FROM many_1") == std::to_string(batches + 1));
    CHECK((many - one) / (batches - 1) < whole_catalog / 2);
}

TEST_CASE("a target's table is described from its own rows of the catalogs") {
    LargeDatabase target;
    const auto described = [&](const char* prefix, int count) {
        return target.reads_of_session([&](sql::Connection& connection) {
            for (int i = 1; i <= count; ++i)
                CHECK(load_target_table(connection, "public", prefix + std::to_string(i)).columns.size() >= 2);
        });
    };
    for (const char* prefix : {"many_", "root_", "leaf_"}) {
        CAPTURE(std::string(prefix));
        CHECK((described(prefix, 41) - described(prefix, 1)) / 40 < whole_catalog / 2);
    }
}

TEST_CASE("partitions and parents of many tables are found by looking at each once") {
    LargeDatabase source;
    const auto roots = source.numbers("relkind = 'p'");
    const auto leaves = source.numbers("relispartition AND relkind = 'r'");
    CHECK(source.reads_of_session([&](sql::Connection& connection) {
        CHECK(sql::leaves_of(connection, roots).size() == roots.size());
    }) < 60L * tables);
    CHECK(source.reads_of_session([&](sql::Connection& connection) {
        CHECK(sql::ancestors_of(connection, leaves).size() == leaves.size());
    }) < 60L * tables);
}

TEST_CASE("definitions of many partitions are read by looking at each once") {
    LargeDatabase source;
    std::vector<std::string> leaves;
    for (const std::uint32_t oid : source.numbers("relispartition AND relkind = 'r'"))
        leaves.push_back(std::to_string(oid));
    const std::vector<std::string> classes(leaves.size(), "table");
    CHECK(source.reads_of_session([&](sql::Connection& connection) {
        connection.exec("SET search_path = pg_catalog");
        const auto found = connection.query(sql::definitions_query(connection.server_version()),
                                            {text_array(classes), text_array(leaves)}, {3});
        CHECK(found.rows() == tables);
    }) < 200L * tables);
}

// The statistics of a target's catalogs may be older than its tables.
TEST_CASE("the sequences of many tables are found by looking at each once") {
    LargeDatabase target;
    SUBCASE("with statistics") {}
    SUBCASE("without") { target.sql("SET allow_system_table_mods = on; TRUNCATE pg_statistic"); }
    target.open();  // makes what notes of sequences are kept in
    target.sink.reset();
    std::set<std::string> names;
    for (int i = 1; i <= tables; ++i) names.insert(fmt::format("\"public\".\"many_{}\"", i));
    target.sql(
        "DO $$ BEGIN FOR i IN 1..3 LOOP EXECUTE format('INSERT INTO many_%s VALUES (70, 1)', i); END LOOP; END $$");
    CHECK(target.reads_of_session([&](sql::Connection& connection) {
        TableGuard guard(true);
        const Log quiet = [](LogLevel, std::string_view) {};
        CHECK(PostgresSequences(connection, guard, "g", "postgres", quiet).level(names).size() == 3);
    }) < 500L * tables);
    CHECK(target.scalar("SELECT nextval('many_2_id_seq')") == "71");
}
