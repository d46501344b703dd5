// Transactions that are read while they run on the source (--read-ahead), from end to end.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

const std::vector<std::string> tables = {"keyed", "whole", "kept"};

// The server reads ahead from 64 kB on, the least there is.
struct ReadAhead : Pipeline {
    ReadAhead() {
        on_both(R"(CREATE TABLE keyed (id int PRIMARY KEY, n int, pad text);
                   CREATE TABLE whole (n int, note text);
                   ALTER TABLE whole REPLICA IDENTITY FULL;
                   CREATE TABLE kept (id int PRIMARY KEY, large text);
                   ALTER TABLE kept ALTER large SET STORAGE EXTERNAL)");
        on_source("INSERT INTO kept SELECT i, repeat('large', 2000) FROM generate_series(1, 20) AS i");
        always({"--read-ahead", "64KiB"}, {});
    }

    // For a transaction that stays open.
    [[nodiscard]] pgsluice::sql::Connection session() const {
        pgsluice::sql::Connection connection(shared_postgres().connect(source_db()));
        connection.exec("RESET search_path");
        return connection;
    }
    std::string count_of(const std::string& counter) {
        return source_scalar(
            fmt::format("SELECT {} FROM pg_stat_replication_slots WHERE slot_name = 'pgsluice_{}'", counter, group()));
    }
    // Of those that have ended, the server counts when the next has come.
    void must_have_read_ahead() {
        eventually("the server has sent transactions while they ran", [&] {
            settle();
            return count_of("stream_txns > 0") == "t";
        });
    }
};

std::string insert(int from, int to, const std::string& pad = "x") {
    return fmt::format("INSERT INTO keyed SELECT i, i, repeat('{}', 100) FROM generate_series({}, {}) AS i;", pad, from,
                       to);
}

}  // namespace

TEST_CASE("what is rolled back within a transaction that was read ahead is nowhere, the rest is there") {
    ReadAhead group;
    group.start();
    group.settle();
    group.on_source("BEGIN;" + insert(1, 3000) + "SAVEPOINT a;" + insert(3001, 6000) +
                    "UPDATE kept SET id = id + 100; SAVEPOINT b; DELETE FROM keyed WHERE id % 2 = 0;"
                    "INSERT INTO whole SELECT i % 9, 'w' FROM generate_series(1, 2000) AS i; ROLLBACK TO b;"
                    "UPDATE keyed SET n = n + 1 WHERE id % 3 = 0; ROLLBACK TO a; SAVEPOINT c;" +
                    insert(5000, 8000) +
                    "RELEASE c; UPDATE kept SET id = id + 1000 WHERE id <= 10;"
                    "INSERT INTO whole SELECT i % 7, 'v' FROM generate_series(1, 2000) AS i;"
                    "DELETE FROM whole WHERE n = 3; COMMIT");
    group.on_source("BEGIN;" + insert(20001, 25000) + "ROLLBACK");
    group.on_source("BEGIN; TRUNCATE whole;" + insert(30001, 33000) + "TRUNCATE keyed;" + insert(1, 2000, "y") +
                    "COMMIT");
    group.must_have_read_ahead();
    group.check_equal(tables);
    CHECK(group.target_scalar("SELECT count(*) FROM keyed") == "2000");
    group.stop();
}

TEST_CASE("transactions that overlap come in the order of their commits, with what others commit meanwhile") {
    ReadAhead group;
    group.start();
    group.settle();
    auto first = group.session();
    auto second = group.session();
    first.exec("BEGIN; INSERT INTO keyed SELECT i, 1, repeat('a', 100) FROM generate_series(1, 3000) AS i");
    second.exec("BEGIN; INSERT INTO keyed SELECT i, 2, repeat('b', 100) FROM generate_series(3001, 6000) AS i");
    group.settle();
    CHECK(group.target_scalar("SELECT count(*) FROM keyed") == "0");
    first.exec("INSERT INTO keyed SELECT i, 1, repeat('a', 100) FROM generate_series(6001, 9000) AS i");
    second.exec("UPDATE keyed SET n = 3 WHERE id > 3000; COMMIT");
    group.on_source("UPDATE keyed SET pad = 'between' WHERE id BETWEEN 3001 AND 3100");
    group.settle();
    CHECK(group.target_scalar("SELECT count(*) FROM keyed WHERE n = 3") == "3000");
    first.exec("COMMIT");
    group.must_have_read_ahead();
    CHECK(group.count_of("spill_txns") == "0");
    group.check_equal(tables);
    group.stop();
}

TEST_CASE("killed and stopped while transactions run and while they are passed on, nothing is lost or doubled") {
    ReadAhead group;
    group.on_both("CREATE TABLE counted (n int)");
    group.start();
    group.settle();
    auto session = group.session();
    for (int round = 0; round < 4; ++round) {
        CAPTURE(round);
        session.exec(fmt::format("BEGIN; INSERT INTO counted SELECT {} FROM generate_series(1, 20000)", round));
        group.settle();
        if (round % 2 == 0)
            group.kill_replicator();
        else
            group.stop_replicator();
        session.exec("INSERT INTO counted SELECT -1 FROM generate_series(1, 20000)");
        if (round < 2) group.start_replicator({});
        session.exec("COMMIT");
        if (round >= 2) group.start_replicator({}, {{"PGSLUICE_FAILPOINT", "before-feedback:2"}});
        if (round >= 2) {
            group.must_die(group.replicator());
            group.kill_replicator();
            group.start_replicator({});
        }
        group.settle();
        CHECK(group.source_sum("counted") == group.target_sum("counted"));
    }
    group.stop();
}

TEST_CASE("where there is no place for a running transaction, it is read when it has committed, and the log says so") {
    ReadAhead group;
    group.start_worker();
    group.start_replicator({"--copy-and-stream"}, {{"TMPDIR", "/nowhere"}});
    group.settle();
    group.on_source("BEGIN;" + insert(1, 20000) + "COMMIT");
    group.check_equal(tables);
    CHECK(says(group.replicator(), "unable to keep a running transaction in '/nowhere': No such file or directory"));
    CHECK(says(group.replicator(), "no transaction is read any more before it has committed (--read-ahead)"));
    group.stop();
}

TEST_CASE("DDL within a transaction that is read ahead, and of others while it runs") {
    ReadAhead group;
    group.start({"--copy-and-stream", "--track-ddl"});
    group.settle();
    auto session = group.session();
    session.exec("BEGIN; INSERT INTO keyed SELECT i, 1, repeat('a', 100) FROM generate_series(1, 3000) AS i");
    group.on_source("ALTER TABLE whole ADD COLUMN more int DEFAULT 5; INSERT INTO whole VALUES (1, 'one', 2)");
    session.exec(
        "ALTER TABLE keyed ADD COLUMN late int DEFAULT 7;"
        "INSERT INTO keyed SELECT i, 1, repeat('b', 100), 8 FROM generate_series(3001, 6000) AS i; SAVEPOINT s;"
        "ALTER TABLE keyed ADD COLUMN undone int DEFAULT 9; INSERT INTO keyed SELECT i, 1, repeat('c', 100), 8, 10 "
        "FROM "
        "generate_series(6001, 9000) AS i; ROLLBACK TO s; ALTER TABLE keyed RENAME n TO number;"
        "INSERT INTO keyed SELECT i, 1, repeat('d', 100), 8 FROM generate_series(7001, 9900) AS i; COMMIT");
    group.must_have_read_ahead();
    group.check_equal(tables);
    CHECK(group.target_scalar("SELECT count(number) + sum(late) FROM keyed") ==
          group.source_scalar("SELECT count(number) + sum(late) FROM keyed"));
    group.stop();
}
