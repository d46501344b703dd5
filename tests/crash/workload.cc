#include "tests/crash/workload.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <random>
#include <thread>

namespace pgsluice::test {
namespace {

using Random = std::mt19937;

int dice(Random& random, int sides) { return std::uniform_int_distribution<int>(1, sides)(random); }

std::string transfer(Random& r) {
    const int amount = dice(r, 100);
    return fmt::format(
        "BEGIN; UPDATE payers SET balance = balance - {} WHERE id = {}; UPDATE payees SET balance = balance + {} WHERE "
        "id = {}; COMMIT",
        amount, dice(r, 50), amount, dice(r, 50));
}

std::string log_lines(Random& r) {
    return fmt::format("INSERT INTO log SELECT {}, repeat('l', {}) FROM generate_series(1, {})", dice(r, 1000),
                       dice(r, 200), dice(r, 5));
}

std::string upsert_item(Random& r) {
    const int id = dice(r, 400);
    return fmt::format("INSERT INTO items VALUES ({}, 'made', {}) ON CONFLICT (id) DO UPDATE SET name = 'made again'",
                       id, id);
}

// Keys chain and are used again inside one transaction.
std::string move_items(Random& r) {
    const int id = dice(r, 400);
    return fmt::format(
        "BEGIN; DELETE FROM items WHERE id IN ({0}, {0} + 1000000); UPDATE items SET id = {0} + 1000000 WHERE id = {0} "
        "+ 1; "
        "INSERT INTO items VALUES ({0}, 'second life', NULL); UPDATE items SET n = coalesce(n, 0) + 1 WHERE id < {0} + "
        "9 AND "
        "id > {0}; COMMIT",
        id);
}

std::string identical_rows(Random& r) {
    static constexpr std::array statements = {
        "INSERT INTO same SELECT {0}, 'same' FROM generate_series(1, 3)",
        "UPDATE same SET note = 'other' WHERE ctid = (SELECT ctid FROM same WHERE n = {0} LIMIT 1)",
        "DELETE FROM same WHERE ctid IN (SELECT ctid FROM same WHERE n = {0} LIMIT 2)"};
    return fmt::format(fmt::runtime(statements[static_cast<std::size_t>(dice(r, 3) - 1)]), dice(r, 10));
}

std::string documents(Random& r) {
    static constexpr std::array statements = {
        "UPDATE documents SET title = title || 'x' WHERE id = {0}",
        "UPDATE documents SET body = repeat(md5({1}::text), 500) WHERE id = {0}",
        "UPDATE documents SET title = NULL, id = id + 100 WHERE id = {0} AND NOT EXISTS (SELECT FROM documents WHERE "
        "id = {0} + 100)",
        "INSERT INTO documents VALUES ({0}, '', repeat(md5({1}::text), 300)) ON CONFLICT DO NOTHING",
        "DELETE FROM documents WHERE id = {0}"};
    return fmt::format(fmt::runtime(statements[static_cast<std::size_t>(dice(r, 5) - 1)]), dice(r, 40),
                       dice(r, 1000000));
}

std::string partitions(Random& r) {
    static constexpr std::array statements = {"INSERT INTO parted VALUES ({0}, {1}) ON CONFLICT DO NOTHING",
                                              "UPDATE parted SET id = id + 200 WHERE id = {0} AND {1} > 500",
                                              "UPDATE parted SET n = {1} WHERE id % 10 = {0} % 10",
                                              "DELETE FROM parted WHERE id = {0} OR id = {0} + 200"};
    return fmt::format(fmt::runtime(statements[static_cast<std::size_t>(dice(r, 4) - 1)]), dice(r, 200), dice(r, 1000));
}

std::string savepoints(Random& r) {
    return fmt::format(
        "BEGIN; INSERT INTO log VALUES ({0}, 'kept'); SAVEPOINT a; INSERT INTO log VALUES ({0}, 'undone'); DELETE FROM "
        "items; ROLLBACK TO a; UPDATE items SET n = {0} WHERE id = {0}; SAVEPOINT b; INSERT INTO log VALUES ({0}, "
        "'kept, too'); SAVEPOINT c; DELETE FROM labels WHERE a = {0} % 40; ROLLBACK TO b; INSERT INTO log VALUES ({0}, "
        "'kept instead'); RELEASE b; {1}",
        dice(r, 400), dice(r, 3) == 1 ? "ROLLBACK" : "COMMIT");
}

// Known by a unique index of two columns.
std::string labels(Random& r) {
    static constexpr std::array statements = {
        "INSERT INTO labels VALUES ({0}, 'l{1}', NULL) ON CONFLICT DO NOTHING",
        "UPDATE labels SET note = coalesce(note, '') || '{1}' WHERE a = {0}",
        "UPDATE labels SET b = b || 'x', a = a + 1 WHERE a = {0} AND length(b) < 9 AND NOT EXISTS (SELECT FROM labels "
        "AS other WHERE other.a = labels.a + 1 AND other.b = labels.b || 'x')",
        "DELETE FROM labels WHERE a = {0} AND b < 'l5'"};
    return fmt::format(fmt::runtime(statements[static_cast<std::size_t>(dice(r, 4) - 1)]), dice(r, 40), dice(r, 9));
}

std::string bulk(Random& r) {
    const int fate = dice(r, 60);
    if (fate == 1) return "TRUNCATE log";
    if (fate > 4) return log_lines(r);
    return fmt::format("INSERT INTO log SELECT i, repeat('b', 300) FROM generate_series(1, {}) AS i", dice(r, 8000));
}

using Maker = std::string (*)(Random&);
constexpr std::array<Maker, 12> makers = {transfer,       transfer,  transfer,   log_lines,  upsert_item, move_items,
                                          identical_rows, documents, partitions, savepoints, labels,      bulk};

}  // namespace

const char* Workload::schema() {
    return R"(
        CREATE TABLE payers (id int PRIMARY KEY, balance bigint NOT NULL);
        CREATE TABLE payees (id int PRIMARY KEY, balance bigint NOT NULL);
        CREATE TABLE log (n int, line text);
        CREATE TABLE items (id int PRIMARY KEY, name text, n int);
        CREATE TABLE same (n int, note text);
        ALTER TABLE same REPLICA IDENTITY FULL;
        CREATE TABLE labels (a int NOT NULL, b text NOT NULL, note text);
        CREATE UNIQUE INDEX labels_identity ON labels (a, b);
        ALTER TABLE labels REPLICA IDENTITY USING INDEX labels_identity;
        CREATE TABLE documents (id int PRIMARY KEY, title text, body text);
        ALTER TABLE documents ALTER body SET STORAGE EXTERNAL;
        CREATE TABLE parted (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
        CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (150);
        CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (150) TO (100000);)";
}

const char* Workload::rows() {
    return R"(
        INSERT INTO payers SELECT i, 1000 FROM generate_series(1, 50) AS i;
        INSERT INTO payees SELECT i, 1000 FROM generate_series(1, 50) AS i;
        INSERT INTO items SELECT i, 'item', i FROM generate_series(1, 300) AS i;
        INSERT INTO same SELECT i % 10, 'same' FROM generate_series(1, 100) AS i;
        INSERT INTO labels SELECT i % 40, 'l' || i, NULL FROM generate_series(1, 100) AS i;
        INSERT INTO documents SELECT i, 'title', repeat(md5(i::text), 400) FROM generate_series(1, 30) AS i;
        INSERT INTO parted SELECT i, i FROM generate_series(1, 200) AS i;)";
}

const std::vector<std::string>& Workload::tables() {
    static const std::vector<std::string> names = {"payers", "payees", "log",       "items",
                                                   "same",   "labels", "documents", "parted"};
    return names;
}

const char* Workload::total_query() {
    return "SELECT (SELECT sum(balance) FROM payers) + (SELECT sum(balance) FROM payees)";
}
const char* Workload::total() { return "100000"; }

Workload::Workload(PostgresServer& server, std::string database, unsigned seed, int clients)
    : Clients(server, std::move(database)) {
    start(seed, 7919, clients);
}

std::string Workload::next(Random& random) {
    return makers[static_cast<std::size_t>(dice(random, static_cast<int>(makers.size())) - 1)](random);
}

void Workload::rest(Random& random, bool failed) {
    if (failed) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::this_thread::sleep_for(std::chrono::milliseconds(dice(random, 4)));
}

}  // namespace pgsluice::test
