// The streaming loop against a real source: every kind of change, kill and resume, blocked publishing, orderly ends.
#include <doctest/doctest.h>
#include <csignal>

#include <fstream>
#include <string>
#include <vector>

#include "tests/support/memory_limit.h"
#include "tests/support/process.h"
#include "tests/support/wal_session.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using Lines = std::vector<std::string>;

constexpr const char* tables =
    "CREATE TABLE t (id int PRIMARY KEY, note text);"
    "CREATE TABLE u (id int PRIMARY KEY);"
    "CREATE TABLE f (a int, b text); ALTER TABLE f REPLICA IDENTITY FULL;";

long resident_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
    }
    return 0;
}

// What only fills the time until a transaction of ours can be seen is not waited for.
ReplicatorOptions quick() {
    ReplicatorOptions options;
    options.progress_interval_ms = 50;
    options.feedback_interval_ms = 50;
    return options;
}

}  // namespace

TEST_CASE("every kind of change arrives, in order and in its transaction") {
    WalSession session(shared_postgres(), tables);
    session.options = quick();
    session.start();
    session.sql("INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, '')");
    session.sql("UPDATE t SET note = 'b' WHERE id = 1");
    session.sql("UPDATE t SET id = 10 WHERE id = 1");
    session.sql("DELETE FROM t WHERE id = 2");
    session.sql(
        "BEGIN; INSERT INTO u VALUES (1); INSERT INTO f VALUES (1, 'x'); UPDATE f SET b = 'y';"
        "DELETE FROM f; COMMIT");
    session.sql("TRUNCATE t, u");
    REQUIRE(session.caught_up());
    CHECK(session.stream.lines() == Lines{"insert t '1' 'a'", "insert t '2' NULL", "insert t '3' ''", "commit",  //
                                          "update t '1' 'b'", "commit",                                          //
                                          "update t [key '1' NULL] '10' 'b'", "commit",                          //
                                          "delete t [key '2' NULL]", "commit",                                   //
                                          "insert u '1'", "insert f '1' 'x'", "update f [old '1' 'x'] '1' 'y'",
                                          "delete f [old '1' 'y']",
                                          "commit",  //
                                          "truncate t u", "commit"});
    CHECK(session.stop() == "");
}

TEST_CASE("rolled back savepoints and transactions leave nothing, empty ones let the slot advance") {
    WalSession session(shared_postgres(), tables);
    session.options = quick();
    session.start();
    session.sql(
        "BEGIN; INSERT INTO u VALUES (1); SAVEPOINT a; INSERT INTO u VALUES (2); ROLLBACK TO a;"
        "INSERT INTO u VALUES (3); COMMIT");
    session.sql("BEGIN; INSERT INTO u VALUES (4); ROLLBACK");
    session.sql("CREATE TABLE later (id int)");
    REQUIRE(session.caught_up());
    CHECK(session.stream.lines() == Lines{"insert u '1'", "insert u '3'", "commit"});
    const auto end = session.stream.last().safe_flush_lsn;
    CHECK(eventually("the slot follows", [&] { return session.confirmed() >= end; }));
    CHECK(session.stop() == "");
}

TEST_CASE("an unchanged TOASTed value is told apart from NULL") {
    WalSession session(shared_postgres(),
                       "CREATE TABLE wide (id int PRIMARY KEY, n int, big text, nothing text);"
                       "ALTER TABLE wide ALTER big SET STORAGE EXTERNAL");
    session.options = quick();
    session.sql("INSERT INTO wide VALUES (1, 1, repeat('x', 1000000), NULL)");
    session.start();
    session.sql("UPDATE wide SET n = 2");
    REQUIRE(session.caught_up());
    const auto lines = session.stream.lines();
    REQUIRE(lines.size() == 4);
    CHECK(lines[0] == "insert wide '1' '1' '" + std::string(1000000, 'x') + "' NULL");
    CHECK(lines[2] == "update wide '1' '2' unchanged NULL");
    CHECK(session.stop() == "");
}

TEST_CASE("tables changed in mid-stream are described again") {
    WalSession session(shared_postgres(), tables);
    session.options = quick();
    session.start();
    session.sql(
        "BEGIN; INSERT INTO u VALUES (1); ALTER TABLE u ADD more text DEFAULT 'd'; INSERT INTO u VALUES (2);"
        "COMMIT");
    session.sql("ALTER TABLE u DROP id; INSERT INTO u VALUES ('e')");
    REQUIRE(session.caught_up());
    CHECK(session.stream.lines() == Lines{"insert u '1'", "insert u '2' 'd'", "commit", "insert u 'e'", "commit"});
    CHECK(session.stop() == "");
}

TEST_CASE("heartbeats of ours arrive, those of others do not") {
    WalSession session(shared_postgres(), tables);
    session.options = quick();
    session.start();
    session.sql("SELECT pg_logical_emit_message(false, 'pgsluice.compare', '')");
    session.sql("SELECT pg_logical_emit_message(false, 'pgsluice.x', 'loose')");
    session.sql("SELECT pg_logical_emit_message(false, 'other', 'loose')");
    session.sql(
        "BEGIN; INSERT INTO u VALUES (1); SELECT pg_logical_emit_message(true, 'other', 'y');"
        "SELECT pg_logical_emit_message(true, 'pgsluice.x', 'inside');"
        "SELECT pg_logical_emit_message(true, 'pgsluice.heartbeat', '" +
        session.options.names.group + "'); COMMIT");
    REQUIRE(session.caught_up());
    CHECK(session.stream.lines() == Lines{"message pgsluice.compare ", "insert u '1'",
                                          "message pgsluice.heartbeat " + session.options.names.group, "commit"});
    CHECK(session.stop() == "");
}

TEST_CASE("300,000 rows in one transaction pass through in little memory") {
    WalSession session(shared_postgres(), tables);
    session.options = quick();
    session.stream.keep_lines = false;
    session.start();
    session.sql("INSERT INTO u VALUES (0)");
    REQUIRE(session.caught_up());
    const auto before = resident_kib();
    session.sql("INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 300000) i");
    long most = 0;
    CHECK(eventually("all rows arrive", [&] {
        most = std::max(most, resident_kib());
        return session.stream.changes() >= 300001;
    }));
    CHECK(session.stream.ordered());
    CHECK(session.stream.largest() < session.options.block_bytes + 1024);
    CHECK(most - before < 32 * 1024 * memory_factor);
    CHECK(session.stop() == "");
}

TEST_CASE("a killed connection is resumed without a loss or a repeat") {
    WalSession session(shared_postgres(), tables);
    session.options = quick();
    session.options.block_bytes = 2048;
    session.stream.keep_lines = false;
    session.sql("INSERT INTO u SELECT generate_series(1, 20000)");
    session.sql("UPDATE u SET id = id + 100000");
    for (std::uint64_t i = 1; i <= 5; ++i) {
        session.stream.room_for = i * 7000;
        session.start();
        CHECK(eventually("some more arrives", [&] { return session.stream.changes() >= i * 7000; }));
        session.sql("SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots WHERE slot_name = '" +
                    session.slot() + "'");
        CHECK(session.join() != "");  // seen although it reads nothing for want of room
    }
    session.stream.room_for = UINT64_MAX;
    session.start();
    REQUIRE(session.caught_up());
    CHECK(session.stop() == "");
    CHECK(session.stream.changes() == 40000);
    CHECK(session.stream.ordered());
}

TEST_CASE("a stop in mid-transaction is resumed without a loss or a repeat") {
    WalSession session(shared_postgres(), tables);
    session.options = quick();
    session.options.block_bytes = 2048;
    session.stream.keep_lines = false;
    session.sql("INSERT INTO u SELECT generate_series(1, 50000)");
    for (std::uint64_t i = 1; i <= 2; ++i) {
        session.stream.room_for = i * 7000;
        session.start();
        CHECK(eventually("some more arrives", [&] { return session.stream.changes() >= i * 7000; }));
        CHECK(session.stop() == "");
        CHECK(session.stream.changes() < 50000);
    }
    session.stream.room_for = UINT64_MAX;
    session.start();
    REQUIRE(session.caught_up());
    CHECK(session.stop() == "");
    CHECK(session.stream.changes() == 50000);
    CHECK(session.stream.ordered());
}

TEST_CASE("statuses continue while publishing is blocked for longer than wal_sender_timeout") {
    WalSession session(shared_postgres(), tables);
    session.start_settings = "-c wal_sender_timeout=4s";
    session.stream.keep_lines = false;
    session.start();
    session.sql("INSERT INTO u VALUES (0)");
    REQUIRE(session.caught_up());
    session.stream.room_for = 1;
    session.sql("INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 50000) i");
    CHECK(eventually("three timeouts pass", [&] {
        return session.scalar(
                   "SELECT coalesce(bool_or(reply_time > backend_start + interval '13 s'), false)"
                   " FROM pg_stat_replication r JOIN pg_replication_slots s ON r.pid = s.active_pid"
                   " WHERE slot_name = '" +
                   session.slot() + "'") == "t";
    }));
    CHECK(session.stream.changes() == 1);
    session.stream.room_for = UINT64_MAX;
    REQUIRE(session.caught_up());
    CHECK(session.stream.changes() == 50001);
    CHECK(session.stop() == "");
}

TEST_CASE("an idle group pins no WAL while others write") {
    WalSession session(shared_postgres(), tables);
    session.options = quick();
    session.start();
    const auto elsewhere = shared_postgres().create_database();
    shared_postgres().sql(elsewhere, "CREATE TABLE x (i int); INSERT INTO x SELECT generate_series(1, 1000)");
    const auto target = *parse_lsn(session.scalar("SELECT pg_current_wal_lsn()"));
    CHECK(eventually("the slot follows", [&] { return session.confirmed() >= target; }));
    CHECK(session.stream.lines().empty());
    CHECK(session.confirmed() <= session.stream.last().safe_flush_lsn);
    CHECK(session.stop() == "");
}

TEST_CASE("a stop confirms what was published") {
    WalSession session(shared_postgres(), tables);
    session.options.feedback_interval_ms = 60000;
    session.options.progress_interval_ms = 60000;
    session.start();
    session.sql("INSERT INTO u VALUES (1)");
    CHECK(eventually("the row arrives", [&] { return session.stream.changes() == 1; }));
    CHECK(session.stop() == "");
    CHECK(session.confirmed() == session.stream.last().safe_flush_lsn);
}

TEST_CASE("a source that shuts down does not wait for a progress marker's time") {
    PostgresServer server;
    WalSession session(server, tables);
    session.options.progress_interval_ms = 600000;
    session.start();
    session.sql("INSERT INTO u VALUES (1)");
    CHECK(eventually("the row arrives", [&] { return session.stream.changes() == 1; }));
    const auto postmaster = std::stoi(session.scalar("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)"));
    ::kill(postmaster, SIGINT);  // a fast shutdown: the walsender waits until all WAL is confirmed
    CHECK(session.join() != "");
    server.stop_immediate();
    server.start();
    CHECK(session.scalar("SELECT count(*) FROM u") == "1");
}
