// Whatever a transaction did, the target becomes equal to the source.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"

using namespace pgsluice::test;

namespace {

constexpr const char* schema = R"(
    CREATE TABLE items (id int PRIMARY KEY, name text, price numeric);
    CREATE TABLE events (at int, what text);
    CREATE TABLE pairs (a int, b int, note text, PRIMARY KEY (a, b));
    CREATE TABLE full_rows (id int, note text);
    ALTER TABLE full_rows REPLICA IDENTITY FULL;)";

const std::vector<std::string> tables = {"items", "events", "pairs", "full_rows"};

struct Shop : Pipeline {
    Shop() {
        on_both(schema);
        on_source(R"(
            INSERT INTO items SELECT i, 'item ' || i, i * 1.10 FROM generate_series(1, 500) AS i;
            INSERT INTO events SELECT i % 7, 'event' FROM generate_series(1, 300) AS i;
            INSERT INTO pairs SELECT i, i + 1, NULL FROM generate_series(1, 100) AS i;
            INSERT INTO full_rows SELECT i % 10, 'same' FROM generate_series(1, 50) AS i;)");
    }
};

}  // namespace

TEST_CASE("rows copied, then inserted, updated and deleted") {
    Shop shop;
    shop.start();
    shop.check_equal(tables);
    CHECK(shop.target_scalar("SELECT count(*) FROM items") == "500");

    shop.on_source(R"(
        INSERT INTO items VALUES (1001, 'new', NULL), (1002, '', 0);
        INSERT INTO events VALUES (NULL, NULL), (1, 'x'), (1, 'x');
        UPDATE items SET price = price * 2 WHERE id % 3 = 0;
        UPDATE pairs SET note = 'changed' WHERE a < 10;
        DELETE FROM items WHERE id % 5 = 0;
        UPDATE full_rows SET note = 'other' WHERE ctid IN (SELECT ctid FROM full_rows WHERE id = 3 LIMIT 2);
        DELETE FROM full_rows WHERE ctid IN (SELECT ctid FROM full_rows WHERE id = 4 LIMIT 1);)");
    shop.check_equal(tables);
    shop.stop();
}

TEST_CASE("keys change, swap and chain") {
    Shop shop;
    shop.start();
    shop.on_source("UPDATE items SET id = id + 10000 WHERE id <= 100");
    shop.on_source("UPDATE pairs SET a = a + 1000, b = b + 1000, note = 'moved' WHERE a = 7");
    shop.on_source(R"(
        BEGIN;
        UPDATE items SET id = -1 WHERE id = 201;
        UPDATE items SET id = 201 WHERE id = 202;
        UPDATE items SET id = 202 WHERE id = -1;
        COMMIT;)");
    shop.on_source(R"(
        BEGIN;
        DELETE FROM items WHERE id = 301;
        INSERT INTO items VALUES (301, 'again', 1);
        UPDATE items SET id = 302000 WHERE id = 301;
        INSERT INTO items VALUES (301, 'and again', 2);
        COMMIT;)");
    shop.check_equal(tables);
    shop.stop();
}

TEST_CASE("truncate, alone and amid other changes") {
    Shop shop;
    shop.start();
    shop.settle();
    shop.on_source("TRUNCATE events, pairs");
    shop.check_equal(tables);
    shop.on_source(R"(
        BEGIN;
        INSERT INTO items VALUES (5000, 'gone at once', 1);
        TRUNCATE items;
        INSERT INTO items VALUES (5001, 'stays', 1);
        COMMIT;)");
    shop.check_equal(tables);
    CHECK(shop.target_scalar("SELECT string_agg(name, ',') FROM items") == "stays");
    shop.stop();
}

TEST_CASE("rolled back savepoints, aborted and empty transactions leave nothing") {
    Shop shop;
    shop.start();
    shop.on_source(R"(
        BEGIN;
        INSERT INTO items VALUES (2001, 'kept', 1);
        SAVEPOINT one;
        INSERT INTO items VALUES (2002, 'undone', 1);
        SAVEPOINT two;
        UPDATE items SET name = 'undone' WHERE id = 2001;
        ROLLBACK TO one;
        INSERT INTO items VALUES (2002, 'kept', 2);
        COMMIT;)");
    shop.on_source("BEGIN; INSERT INTO items VALUES (2003, 'aborted', 1); ROLLBACK;");
    shop.on_source("BEGIN; CREATE TEMP TABLE empty_for_us (a int); COMMIT;");
    shop.on_source("CREATE TABLE elsewhere (a int); DROP TABLE elsewhere;");
    shop.check_equal(tables);
    CHECK(shop.target_scalar("SELECT count(*) FROM items WHERE name = 'undone' OR name = 'aborted'") == "0");
    shop.stop();
}

TEST_CASE("what was written while nothing of ours ran arrives at the next start") {
    Shop shop;
    shop.start();
    shop.check_equal(tables);
    shop.stop();
    shop.on_source(
        "UPDATE items SET name = 'while away'; INSERT INTO events SELECT 9, 'x' FROM generate_series(1, 50)");
    shop.start();
    shop.check_equal(tables);
    shop.stop_worker();
    shop.on_source(
        "UPDATE pairs SET note = 'away' WHERE a < 5; INSERT INTO events SELECT 8, 'y' FROM generate_series(1, 50)");
    shop.start_worker();
    shop.check_equal(tables);
    shop.stop();
}

TEST_CASE("a worker that is started first waits for its group") {
    Shop shop;
    shop.start_worker();
    CHECK(eventually("the worker says that it waits", [&] { return !shop.worker().err().empty(); }));
    shop.start_replicator();
    shop.check_equal(tables);
    shop.stop();
}

TEST_CASE("stream alone brings changes but no rows that were there before") {
    Shop shop;
    shop.start({"--stream"});
    shop.await_stream();  // a slot is in use already while it is being made
    shop.on_source("INSERT INTO items VALUES (3001, 'streamed', 1)");
    shop.settle();
    CHECK(shop.target_rows("items") == std::vector<std::string>{"(3001,streamed,1)"});
    shop.stop();
}

TEST_CASE("copy alone ends by itself") {
    Shop shop;
    shop.start_replicator({"--copy"});
    CHECK(shop.replicator().wait() == 0);
    shop.start_worker({"--exit-after-snapshot"});
    CHECK(shop.worker().wait() == 0);
    for (const auto& table : tables) CHECK(shop.source_rows(table) == shop.target_rows(table));
}
