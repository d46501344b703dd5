// Copying beside others: writers, locks, open transactions, failures.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "tests/live/snapshot_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

// Runs statements on a connection of its own until it is gone.
class Session {
   public:
    explicit Session(SnapshotSource& source) : connection_(source.options.source) {
        connection_.exec("RESET search_path");
    }
    void exec(const std::string& statements) { connection_.exec(statements); }
    void start(const std::string& statements) {
        thread_ = std::jthread([this, statements] { connection_.exec(statements); });
    }
    void join() { thread_.join(); }

   private:
    sql::Connection connection_;
    std::jthread thread_;
};

bool somebody_waits_for_a_lock(SnapshotSource& source, const std::string& mode) {
    return source.scalar(
               "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE NOT l.granted AND "
               "l.mode = '" +
               mode + "' AND d.datname = current_database()") != "0";
}

}  // namespace

TEST_CASE("the rows are those of one moment while others write") {
    SnapshotSource source(
        "CREATE TABLE account (id int PRIMARY KEY, amount int); INSERT INTO account SELECT i, 100 FROM "
        "generate_series(1, 20000) i;"
        "CREATE TABLE journal (account int, amount int)");
    source.options.copy_range_bytes = 128 * 1024;
    std::atomic<bool> done = false;
    std::atomic<int> transfers = 0;
    std::jthread writer([&] {
        sql::Connection connection(source.options.source);
        connection.exec("RESET search_path");
        while (!done) {
            const std::string id = std::to_string(1 + transfers * 7919L % 19999);
            connection.exec("BEGIN; UPDATE account SET amount = amount - 1 WHERE id = " + id +
                            "; INSERT INTO journal VALUES (" + id +
                            ", -1); UPDATE account SET amount = amount + 1 WHERE id = 20000; COMMIT");
            ++transfers;
        }
    });
    eventually("the writer writes", [&] { return transfers > 10; });
    source.copy();
    done = true;
    writer.join();
    long sum = 0;
    long moved = 0;
    for (const auto& row : source.rows("account")) {
        const long amount = std::stol(row.substr(row.find('\t') + 1));
        sum += amount;
        if (row.starts_with("20000\t")) moved = amount - 100;
    }
    CHECK(source.rows("account").size() == 20000);
    CHECK(sum == 20000 * 100);
    CHECK(moved == static_cast<long>(source.rows("journal").size()));
}

TEST_CASE("an open writing transaction is named, and a stop still works") {
    SnapshotSource source("CREATE TABLE t AS SELECT 1 AS a; CREATE TABLE other (a int)");
    Session writer(source);
    writer.exec("SET application_name = 'a slow writer'; BEGIN; INSERT INTO other VALUES (1)");
    std::stop_source stop;
    std::jthread stopper([&] {
        eventually("the writer is named", [&] { return source.warned("a slow writer"); });
        stop.request_stop();
    });
    CHECK_THROWS_AS(source.copy(stop.get_token()), Interrupted);
    stopper.join();
    CHECK(source.warned("creating slot '" + source.options.names.slot + "' waits for pid "));
    CHECK(eventually("the slot is gone", [&] { return source.slots() == 0; }));
}

TEST_CASE("a lock that another session holds is named and waited for") {
    SnapshotSource source("CREATE TABLE t AS SELECT 1 AS a");
    auto holder = std::make_unique<Session>(source);
    std::jthread releaser([&] {
        eventually("the holder is named", [&] { return source.warned("the holder"); });
        holder.reset();
    });
    // The publication is made before the lock is held, as it would wait for it as well.
    source.publisher.before_each = {};
    holder->exec("SET application_name = 'the holder'");
    {
        auto connection = connect_source(source.options.source, {});
        const auto log = [](LogLevel, std::string_view) {};
        ensure_publication(connection, source.options.names.publication,
                           resolve_tables(connection, source.options, log), false, log);
    }
    holder->exec("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    source.copy();
    CHECK(source.rows("t") == std::vector<std::string>{"1"});
}

TEST_CASE("a transaction that comes to wait for our locks while we wait for it gets them first") {
    SnapshotSource source("CREATE TABLE t AS SELECT 1 AS a; CREATE TABLE other (a int)");
    Session altering(source);
    altering.exec("BEGIN; INSERT INTO other VALUES (1)");
    std::jthread alter([&] {
        eventually("slot creation waits", [&] { return source.warned("creating slot"); });
        altering.exec("ALTER TABLE t ADD COLUMN b int DEFAULT 7; COMMIT");
    });
    source.copy();
    alter.join();
    CHECK(source.warned("starts over"));
    CHECK(source.rows("t") == std::vector<std::string>{"1\t7"});
    CHECK(source.rows("other") == std::vector<std::string>{"1"});
}

TEST_CASE("a transaction we wait for that comes to wait for one that waits for our locks gets them, too") {
    SnapshotSource source("CREATE TABLE t AS SELECT 1 AS a; CREATE TABLE other (a int)");
    Session writer(source);
    Session altering(source);
    writer.exec("BEGIN; INSERT INTO other VALUES (1)");
    std::jthread deadlock([&] {
        eventually("slot creation waits", [&] { return source.warned("creating slot"); });
        altering.start("ALTER TABLE t ADD COLUMN b int DEFAULT 7");
        eventually("the ALTER waits", [&] { return somebody_waits_for_a_lock(source, "AccessExclusiveLock"); });
        writer.exec("INSERT INTO t VALUES (2); COMMIT");
    });
    source.copy();
    deadlock.join();
    altering.join();
    CHECK(source.warned("starts over"));
    CHECK(source.rows("other") == std::vector<std::string>{"1"});
    CHECK(source.rows("t") == std::vector<std::string>{"1\t7", "2\t7"});
}

TEST_CASE("whom the publication waits for is named") {
    SnapshotSource source("CREATE TABLE t AS SELECT 1 AS a");
    auto holder = std::make_unique<Session>(source);
    holder->exec("SET application_name = 'the holder'; BEGIN; LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE");
    std::jthread releaser([&] {
        eventually("the holder is named", [&] {
            return source.warned("publication '" + source.options.names.publication + "' waits for pid");
        });
        holder.reset();
    });
    source.copy();
    releaser.join();
    CHECK(source.warned("the holder"));
    CHECK(source.rows("t") == std::vector<std::string>{"1"});
}

TEST_CASE("a VACUUM FULL that comes before the snapshot's lock is waited for") {
    SnapshotSource source(
        "CREATE TABLE t AS SELECT i AS a FROM generate_series(1, 20000) i; DELETE FROM t WHERE a % 2 = 0");
    source.options.mode = ReplicatorMode::copy;
    Session reading(source);
    Session rewriting(source);
    reading.exec("BEGIN; LOCK TABLE t IN ACCESS SHARE MODE");
    rewriting.start("VACUUM FULL t");
    eventually("it waits", [&] { return somebody_waits_for_a_lock(source, "AccessExclusiveLock"); });
    std::jthread finisher([&] {
        eventually("the snapshot waits", [&] { return somebody_waits_for_a_lock(source, "AccessShareLock"); });
        reading.exec("COMMIT");
    });
    source.copy();
    rewriting.join();
    CHECK(source.rows("t") == source.rows_now("SELECT * FROM public.t"));
}

TEST_CASE("the tables are free before the end of the copy is published") {
    SnapshotSource source("CREATE TABLE t AS SELECT i AS a FROM generate_series(1, 100000) i");
    bool is_free = false;
    source.publisher.before_each = [&](const MessageMeta& meta) {
        if (meta.kind != MessageKind::snapshot_end) return;
        is_free = eventually("nobody has a lock", [&] {
            return source.scalar("SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass") == "0";
        });
    };
    source.copy();
    CHECK(is_free);
}

TEST_CASE("a table rewritten, truncated or dropped while the snapshot waits for its lock") {
    for (const char* statement : {"TRUNCATE t", "ALTER TABLE t ALTER a TYPE bigint",
                                  "ALTER TABLE t ADD b int DEFAULT 7", "CLUSTER t USING t_a", "DROP TABLE t"}) {
        CAPTURE(statement);
        SnapshotSource source(
            "CREATE TABLE t AS SELECT i AS a FROM generate_series(1, 20000) i; CREATE INDEX t_a ON t (a DESC); CREATE "
            "TABLE z AS SELECT 1 AS a");
        source.options.mode = ReplicatorMode::copy;  // makes no publication, which would wait as well
        const bool dropped = std::string(statement).starts_with("DROP");
        Session rewriting(source);
        rewriting.exec("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
        std::jthread finisher([&] {
            eventually("the snapshot waits", [&] { return somebody_waits_for_a_lock(source, "AccessShareLock"); });
            rewriting.exec(statement);
            rewriting.exec("COMMIT");
        });
        if (dropped) {
            CHECK_THROWS_WITH_AS(source.copy(), doctest::Contains("just dropped"), Error);
            continue;
        }
        source.copy();
        finisher.join();
        CHECK(source.rows("t") == source.rows_now("SELECT * FROM public.t"));
        CHECK(source.rows("z").size() == 1);
    }
}

TEST_CASE("who rewrites, truncates or drops a table in the middle of the copy waits until its end") {
    for (const char* statement :
         {"TRUNCATE t", "ALTER TABLE t ALTER a TYPE bigint", "VACUUM FULL t", "CLUSTER t USING t_a", "DROP TABLE t"}) {
        CAPTURE(statement);
        SnapshotSource source(
            "CREATE TABLE t AS SELECT i AS a FROM generate_series(1, 50000) i; CREATE INDEX t_a ON t (a DESC); CREATE "
            "TABLE z AS SELECT 1 AS a");
        source.options.copy_range_bytes = 128 * 1024;
        source.options.block_bytes = 8192;
        const auto expected = source.rows_now("SELECT * FROM public.t");
        Session rewriting(source);
        bool waiting = false;
        source.publisher.before_each = [&](const MessageMeta& meta) {
            if (meta.kind != MessageKind::copy || waiting) return;
            rewriting.start(statement);
            waiting = eventually("the rewrite waits",
                                 [&] { return somebody_waits_for_a_lock(source, "AccessExclusiveLock"); });
        };
        source.copy();
        rewriting.join();
        CHECK(waiting);
        CHECK(source.rows("t") == expected);
        CHECK(source.rows("z").size() == 1);
    }
}

TEST_CASE("a copy that fails ends its connections and its slot") {
    SnapshotSource source("CREATE TABLE t AS SELECT i AS a FROM generate_series(1, 500000) i");
    source.options.block_bytes = 4096;
    source.publisher.before_each = [](const MessageMeta& meta) {
        if (meta.kind == MessageKind::copy) throw retry_error("unable to publish: the generation is broken");
    };
    CHECK_THROWS_AS(source.copy(), Error);
    CHECK(source.slots() == 0);
    CHECK(eventually("nobody reads any more", [&] {
        return source.scalar(
                   "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = "
                   "'pgsluice'"
                   " AND pid <> pg_backend_pid()") == "0";
    }));
}

TEST_CASE("a reader's death fails the copy") {
    SnapshotSource source("CREATE TABLE t AS SELECT i AS a FROM generate_series(1, 300000) i");
    source.options.block_bytes = 4096;
    bool killed = false;
    source.publisher.before_each = [&](const MessageMeta& meta) {
        if (meta.kind != MessageKind::copy || killed) return;
        killed = true;
        source.sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND query "
            "LIKE 'COPY%'");
    };
    try {
        source.copy();
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.action() == Action::retry);
        const std::string text = error.what();
        CAPTURE(text);
        CHECK(text.find("unable to copy 'public.t'") == 0);
    }
    CHECK(source.publisher.messages.back().meta.kind != MessageKind::snapshot_end);
}

TEST_CASE("a stop in the middle ends the copy without its end marker") {
    SnapshotSource source("CREATE TABLE t AS SELECT i AS a FROM generate_series(1, 500000) i");
    source.options.block_bytes = 4096;
    std::stop_source stop;
    source.publisher.before_each = [&](const MessageMeta& meta) {
        if (meta.kind == MessageKind::copy) stop.request_stop();
    };
    CHECK_THROWS_AS(source.copy(stop.get_token()), Interrupted);
    CHECK(source.publisher.messages.back().meta.kind == MessageKind::copy);
    CHECK(source.slots() == 0);
}
