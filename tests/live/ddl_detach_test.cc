// What is written after a partition was detached: it arrives where the table is still one of the group's, and where it
// has left, the target keeps the rows of that moment.
#include <doctest/doctest.h>

#include <future>
#include <string>
#include <vector>

#include "sql/connection.h"
#include "sql/error.h"
#include "tests/support/pipeline.h"
#include "tests/support/same_databases.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using Texts = std::vector<std::string>;

struct Partitioned : Pipeline {
    explicit Partitioned(const Texts& selection) {
        on_both(
            "CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR "
            "VALUES FROM (0) TO (100); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200)");
        on_source("INSERT INTO p SELECT i, 'before' FROM generate_series(90, 110) i");
        Texts words = {"--copy-and-stream", "--track-ddl"};
        words.insert(words.end(), selection.begin(), selection.end());
        start(words);
        settle();
    }
    // Each at once after the one before.
    void write(const std::string& mark) {
        on_source("UPDATE p2 SET v = '" + mark + "' WHERE id IN (101, 102)");
        on_source("DELETE FROM p2 WHERE id = (SELECT max(id) FROM p2)");
        on_source("INSERT INTO p2 SELECT max(id) + 10, '" + mark + "' FROM p2");
        on_source("UPDATE p1 SET v = '" + mark + "' WHERE id = 95");
        on_source("INSERT INTO p SELECT min(id) - 1, '" + mark + "' FROM p1");
    }
    sql::Connection session() { return sql::Connection(shared_servers().source.connect(source_db())); }
    bool detaching() { return source_scalar("SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == "1"; }
};

const std::vector<Texts> all_tables = {{"--all-schemas"}, {"--all-schemas", "--publish-via-partition-root"}};

}  // namespace

TEST_CASE("writes after DETACH PARTITION arrive") {
    for (const Texts& selection : all_tables) {
        CAPTURE(selection.size());
        for (const std::string command :
             {"ALTER TABLE p DETACH PARTITION p2", "ALTER TABLE p DETACH PARTITION p2 CONCURRENTLY"}) {
            CAPTURE(command);
            Partitioned group(selection);
            group.write("just before");
            group.on_source(command);
            group.write("just after");
            await_same_databases(group);
            group.write("later");
            await_same_databases(group);
            CHECK(group.target_scalar("SELECT count(*) FROM p2 WHERE v = 'later'") == "3");
            group.stop();
        }
    }
}

TEST_CASE("writes after DETACH PARTITION of one that has partitions itself arrive") {
    for (const Texts& selection : all_tables) {
        CAPTURE(selection.size());
        for (const std::string more : {"", " CONCURRENTLY"}) {
            CAPTURE(more);
            Partitioned group(selection);
            group.on_source(
                "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (200) TO (300) PARTITION BY RANGE (id); CREATE TABLE "
                "p31 PARTITION OF p3 FOR VALUES FROM (200) TO (250); INSERT INTO p VALUES (201, 'before'), (202, 'x')");
            await_same_databases(group);
            group.on_source("ALTER TABLE p DETACH PARTITION p3" + more);
            group.on_source("INSERT INTO p3 VALUES (203, 'after'); UPDATE p31 SET v = 'after' WHERE id = 201");
            await_same_databases(group);
            group.on_source("DELETE FROM p3 WHERE id = 202");
            await_same_databases(group);
            group.stop();
        }
    }
}

TEST_CASE("writes in the transaction of a DETACH PARTITION arrive") {
    for (const Texts& selection : all_tables) {
        CAPTURE(selection.size());
        Partitioned group(selection);
        group.on_source(
            "BEGIN; UPDATE p2 SET v = 'first'; INSERT INTO p VALUES (150, 'first'); ALTER TABLE p DETACH PARTITION p2; "
            "UPDATE p2 SET v = 'then' WHERE id = 105; INSERT INTO p2 VALUES (500, 'then'); DELETE FROM p2 WHERE id = "
            "103; INSERT INTO p VALUES (5, 'then'); COMMIT");
        await_same_databases(group);
        group.write("later");
        await_same_databases(group);
        group.stop();
    }
}

TEST_CASE("writes while DETACH PARTITION CONCURRENTLY waits for another session arrive") {
    for (const Texts& selection : all_tables) {
        CAPTURE(selection.size());
        Partitioned group(selection);
        auto reader = group.session();
        reader.exec("BEGIN; SELECT count(*) FROM public.p");
        auto detached = std::async(std::launch::async, [&] {
            group.session().exec("ALTER TABLE public.p DETACH PARTITION public.p2 CONCURRENTLY");
        });
        CHECK(eventually("it waits", [&] { return group.detaching(); }));
        group.write("while it waits");
        reader.exec("COMMIT");
        detached.get();
        group.write("after");
        await_same_databases(group);
        group.stop();
    }
}

TEST_CASE("writes around DETACH PARTITION CONCURRENTLY that was interrupted, and its FINALIZE, arrive") {
    for (const Texts& selection : all_tables) {
        CAPTURE(selection.size());
        Partitioned group(selection);
        auto reader = group.session();
        reader.exec("BEGIN; SELECT count(*) FROM public.p");
        auto session = group.session();
        const std::string pid = session.exec("SELECT pg_backend_pid()").text(0, 0);
        auto interrupted = std::async(
            std::launch::async, [&] { session.exec("ALTER TABLE public.p DETACH PARTITION public.p2 CONCURRENTLY"); });
        CHECK(eventually("it waits", [&] { return group.detaching(); }));
        group.on_source("SELECT pg_cancel_backend(" + pid + ")");
        CHECK_THROWS_AS(interrupted.get(), SqlError);
        CHECK(group.detaching());
        group.write("interrupted");
        reader.exec("COMMIT");
        group.settle();
        group.on_source("ALTER TABLE p DETACH PARTITION p2 FINALIZE");
        group.write("after");
        await_same_databases(group);
        group.stop();
    }
}

TEST_CASE("a partition that leaves the group with DETACH keeps the rows of that moment, and its root goes on") {
    for (const std::string more : {"", " CONCURRENTLY"}) {
        CAPTURE(more);
        Partitioned group({"--tables", "p,settled"});
        group.on_source("UPDATE p SET v = 'last' WHERE id = 104");
        group.on_source("ALTER TABLE p DETACH PARTITION p2" + more);
        const auto rows = group.source_rows("p2");
        group.write("no longer");
        CHECK(says(group.replicator(), "table 'public.p2' is no longer replicated: it was detached"));
        group.check_equal({"p"});
        CHECK(group.target_rows("p2") == rows);
        CHECK(group.target_scalar("SELECT count(*) FROM pg_inherits WHERE inhparent = 'p'::regclass") == "1");
        group.stop();
    }
}
