// Looking at the source's tables takes as many queries for many tables as for a few.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "replicator/source/column_types.h"
#include "replicator/source/session.h"
#include "replicator/source/tables.h"
#include "sql/catalog.h"
#include "tests/live/quiet_server.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// Each query of ours is a transaction of its own, and nothing else runs in the database.
class CountedDatabase {
   public:
    explicit CountedDatabase(int tables) : name_(quiet_server().create_database()) {
        std::string statements;
        for (int i = 0; i < tables; ++i) {
            statements += fmt::format(
                "CREATE TABLE t{0} (id int PRIMARY KEY, v text UNIQUE);"
                "CREATE TABLE p{0} (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);"
                "CREATE TABLE p{0}_1 PARTITION OF p{0} FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');"
                "CREATE TABLE p{0}_2 PARTITION OF p{0} FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');",
                i);
        }
        quiet_server().sql(name_, statements);
    }

    template <typename Work>
    int queries(Work&& work) {
        const int before = committed();
        {
            sql::Connection connection = connect_source(quiet_server().connect(name_), {});
            work(connection);
        }
        return committed() - before;
    }

   private:
    int committed() {
        await_end_of_sessions(name_);
        return std::stoi(quiet_server().scalar(
            "postgres", "SELECT xact_commit FROM pg_stat_database WHERE datname = '" + name_ + "'"));
    }

    std::string name_;
};

void look_at_all(sql::Connection& connection) {
    const Log quiet = [](LogLevel, std::string_view) {};
    const auto tables = resolve_tables(connection, {}, quiet);
    ColumnTypes types(connection);
    tables_to_copy(connection, tables, true, types);
    tables_to_copy(connection, tables, false, types);
    warn_of_refused_updates(connection, tables, quiet);
    std::set<Oid> oids;
    for (const auto& table : tables) oids.insert(table.oid);
    with_partitions(connection, oids);
}

// As the log does: one at a time.
void look_at_each(sql::Connection& connection) {
    const auto tables = sql::tables_in(connection, std::vector<std::string>{"public"});
    ColumnTypes types(connection);
    std::set<Oid> expected;
    for (const auto& table : tables) expected.insert(table.oid);
    types.expect(expected);
    for (const auto& table : tables) {
        Relation relation{table.oid, table.schema, table.name, ReplicaIdentity::default_key, {}};
        types.fill_from_log(relation, Lsn{1}, 0);
    }
}

}  // namespace

TEST_CASE("all tables are looked up at once") {
    CountedDatabase few(1);
    CountedDatabase many(12);
    CHECK(few.queries(look_at_all) > 5);
    CHECK(few.queries(look_at_all) == many.queries(look_at_all));
}

TEST_CASE("tables that the log describes one by one are looked up together") {
    CountedDatabase few(1);
    CountedDatabase many(12);
    CHECK(few.queries(look_at_each) == many.queries(look_at_each));
}
