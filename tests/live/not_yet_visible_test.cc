// A transaction that is committed but that no other session sees yet, since its synchronous standby is away: the log
// brings its rows and definitions, while the catalogs still show what was before.
#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "sql/connection.h"
#include "tests/support/pipeline.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

constexpr const char* tables_before =
    "CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); "
    "CREATE TABLE parted_a PARTITION OF parted FOR VALUES FROM (0) TO (100); "
    "CREATE TABLE parent (id int PRIMARY KEY, v text); "
    "CREATE TABLE replaced (id int PRIMARY KEY, v text)";

constexpr const char* transaction =
    "BEGIN; "
    "CREATE TABLE parted_b PARTITION OF parted FOR VALUES FROM (100) TO (200); "
    "INSERT INTO parted VALUES (1, 'a'), (101, 'b'); "
    "CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent); "
    "INSERT INTO child VALUES (1, 'of the child'); "
    "CREATE TABLE fresh (id int PRIMARY KEY, v text); "
    "INSERT INTO fresh VALUES (1, 'of a new table'); "
    "DROP TABLE replaced; CREATE TABLE replaced (id int PRIMARY KEY, v text); "
    "INSERT INTO replaced VALUES (2, 'of the second table'); "
    "COMMIT";

struct Held : Pipeline {
    explicit Held(PostgresServer& source) : Pipeline({source, shared_postgres(), shared_nats()}), source_(source) {
        on_both(tables_before);
        on_target(
            "CREATE TABLE parted_b PARTITION OF parted FOR VALUES FROM (100) TO (200); "
            "CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent); CREATE TABLE fresh (id int PRIMARY KEY, v text)");
        on_source("INSERT INTO replaced VALUES (1, 'of the first table')");
        start();
        settle();
    }
    // Commits the transaction, which no other session sees from then on; others commit as always.
    void commit() {
        standby("nobody");
        committing_ = std::jthread([this] {
            sql::Connection writer(source_.connect(source_db()));
            writer.exec("SET synchronous_commit = on; SET search_path = public");
            writer.exec(transaction);
        });
        eventually("it waits for its standby", [this] {
            return source_scalar("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == "1";
        });
        CHECK(source_scalar("SELECT to_regclass('fresh') IS NULL") == "t");
    }
    void show() {
        standby("");
        committing_.join();
    }
    void await_sent() {
        eventually("the log brings it", [this] {
            return source_scalar(
                       "SELECT count(*) FROM pg_stat_replication WHERE sent_lsn >= pg_current_wal_flush_lsn()") == "1";
        });
    }

   private:
    void standby(const std::string& name) {
        on_source("ALTER SYSTEM SET synchronous_standby_names = '" + name + "'");
        on_source("SELECT pg_reload_conf()");
        eventually("the server knows", [&] { return source_scalar("SHOW synchronous_standby_names") == name; });
    }

    PostgresServer& source_;
    std::jthread committing_;
};

}  // namespace

TEST_CASE("rows of partitions, children and tables that no session sees yet arrive") {
    PostgresServer source({.settings = {{"synchronous_commit", "local"}}});
    Held held(source);
    bool restarts = false;
    SUBCASE("the replicator runs all the time") {}
    SUBCASE("the replicator starts in between") { restarts = true; }
    held.commit();
    held.await_sent();
    if (restarts) {
        held.stop_replicator();
        held.start_replicator();
        held.await_stream();
        held.await_sent();
    }
    held.show();
    for (const char* table : {"parted_a", "parted_b", "child", "fresh", "replaced"}) {
        eventually(std::string("the rows of table ") + table + " have arrived",
                   [&] { return held.target_rows(table) == held.source_rows(table); });
    }
    held.check_equal({"parted", "parent", "child", "fresh", "replaced"});
    held.stop();
}
