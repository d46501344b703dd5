// What the catalog adds to a relation of the stream: column numbers, told only where they are sure.
#include "replicator/source/column_types.h"

#include <doctest/doctest.h>

#include "sql/catalog.h"
#include "stream/format/markers.h"
#include "tests/live/replicator_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// The relation as pgoutput would describe it now.
Relation described(sql::Connection& connection, const std::string& table) {
    const auto found = sql::find_table(connection, "public", table);
    REQUIRE(found);
    Relation relation{found->oid, "public", table, ReplicaIdentity::default_key, {}};
    for (const auto& column : sql::columns_of(connection, found->oid))
        if (column.generated == '\0')
            relation.columns.push_back({column.name, column.type_oid, column.typmod, column.key, {}, 0, 0});
    return relation;
}

std::vector<int> numbers(sql::Connection& connection, Relation relation) {
    ColumnTypes types(connection);
    types.fill({&relation, 1});
    std::vector<int> numbers;
    for (const Column& column : relation.columns) numbers.push_back(column.number);
    return numbers;
}

}  // namespace

TEST_CASE("a column keeps its number, and no other is taken for it when the table was altered meanwhile") {
    PostgresServer& server = shared_postgres();
    const std::string db = server.create_database();
    sql::Connection connection(server.connect(db));
    server.sql(db,
               "CREATE TABLE t (id int PRIMARY KEY, x int, email text, twice int GENERATED ALWAYS AS (x * 2) STORED)");
    const Relation before = described(connection, "t");
    CHECK(numbers(connection, before) == std::vector<int>{1, 2, 3});
    server.sql(
        db, "ALTER TABLE t DROP twice, DROP x; ALTER TABLE t RENAME email TO email_old; ALTER TABLE t ADD email text");
    const Relation now = described(connection, "t");
    CHECK(numbers(connection, now) == std::vector<int>{1, 3, 5});
    CHECK(numbers(connection, before) == std::vector<int>{0, 0, 0});
    Relation part = now;
    part.columns.erase(part.columns.begin() + 1);  // as if it were from before the rename
    CHECK(numbers(connection, part) == std::vector<int>{0, 0});
    server.sql(db, "DROP TABLE t");
    CHECK(numbers(connection, now) == std::vector<int>{0, 0, 0});
}

TEST_CASE("what was looked up ahead is not used for a transaction that was committed later") {
    PostgresServer& server = shared_postgres();
    const std::string db = server.create_database();
    sql::Connection connection(server.connect(db));
    server.sql(db, "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, v int)");
    Relation a = described(connection, "a");
    Relation b = described(connection, "b");
    ColumnTypes types(connection);
    types.expect({a.oid, b.oid});
    types.fill_from_log(a, Lsn{1}, 0);
    server.sql(db, "CREATE UNIQUE INDEX ON b (v)");
    const auto now = parse_lsn(server.scalar(db, "SELECT pg_current_wal_lsn()"));
    REQUIRE(now);
    types.fill_from_log(b, *now, 0);
    CHECK(b.columns[1].unique);
}

TEST_CASE("a table that is described again is looked up again") {
    PostgresServer& server = shared_postgres();
    const std::string db = server.create_database();
    sql::Connection connection(server.connect(db));
    server.sql(db, "CREATE TABLE a (id int PRIMARY KEY, v int)");
    Relation a = described(connection, "a");
    ColumnTypes types(connection);
    types.expect({a.oid});
    types.fill_from_log(a, Lsn{1}, 0);
    CHECK_FALSE(a.columns[1].unique);
    server.sql(db, "CREATE UNIQUE INDEX ON a (v)");
    types.fill_from_log(a, Lsn{1}, 0);
    CHECK(a.columns[1].unique);
}

TEST_CASE("columns that an index merely includes are no part of the key and not unique") {
    PostgresServer& server = shared_postgres();
    const std::string db = server.create_database();
    sql::Connection connection(server.connect(db));
    server.sql(db,
               "CREATE TABLE t (id int, code int NOT NULL, payload text, PRIMARY KEY (id) INCLUDE (payload));"
               "CREATE UNIQUE INDEX by_code ON t (code) INCLUDE (payload)");
    const auto check = [&](std::size_t key) {
        const auto columns = sql::columns_of(connection, sql::find_table(connection, "public", "t")->oid);
        REQUIRE(columns.size() == 3);
        for (std::size_t i = 0; i < 3; ++i) CHECK(columns[i].key == (i == key));
        CHECK(columns[0].primary_key);
        CHECK(columns[1].unique);
        CHECK_FALSE(columns[2].primary_key);
        CHECK_FALSE(columns[2].unique);
    };
    check(0);
    server.sql(db, "ALTER TABLE t REPLICA IDENTITY USING INDEX by_code");
    check(1);
}

TEST_CASE("the snapshot and the log agree on the key, also when its index includes other columns") {
    ReplicatorRun run(
        "CREATE TABLE t (id int, code int NOT NULL, payload text, PRIMARY KEY (id) INCLUDE (payload));"
        "CREATE UNIQUE INDEX by_code ON t (code) INCLUDE (payload)");
    std::size_t key = 0;
    SUBCASE("the primary key") {}
    SUBCASE("another index") {
        run.sql("ALTER TABLE t REPLICA IDENTITY USING INDEX by_code");
        key = 1;
    }
    run.sql("INSERT INTO t VALUES (1, 1, 'a')");
    run.options.mode = ReplicatorMode::copy_and_stream;
    run.start();
    REQUIRE(run.wait_inserted(1));
    run.sql("INSERT INTO t VALUES (2, 2, 'b')");
    REQUIRE(run.wait_inserted(2));
    run.stop();
    std::vector<Relation> found;
    BlockReader reader;
    for (const auto& message : run.messages()) {
        if (message.meta.kind == MessageKind::snapshot_begin)
            for (const auto& relation : decode_snapshot_begin(message.body).tables) found.push_back(relation);
        if (message.meta.kind != MessageKind::changes) continue;
        const auto block = reader.read(message.body);
        for (const auto& change : block->changes) found.push_back(*change.relation);
    }
    REQUIRE(found.size() == 2);
    CHECK(found[0] == found[1]);
    for (std::size_t i = 0; i < 3; ++i) CHECK(found[0].columns[i].key == (i == key));
    CHECK_FALSE(found[0].columns[2].unique);
}
