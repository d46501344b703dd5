#include "tests/crash/workload.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <functional>
#include <optional>

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
        "items; "
        "ROLLBACK TO a; UPDATE items SET n = {0} WHERE id = {0}; {1}",
        dice(r, 400), dice(r, 3) == 1 ? "ROLLBACK" : "COMMIT");
}

std::string bulk(Random& r) {
    if (dice(r, 10) > 1) return log_lines(r);
    return fmt::format("INSERT INTO log SELECT i, repeat('b', 300) FROM generate_series(1, {}) AS i", dice(r, 20000));
}

using Maker = std::string (*)(Random&);
constexpr std::array<Maker, 11> makers = {transfer,       transfer,  transfer,   log_lines,  upsert_item, move_items,
                                          identical_rows, documents, partitions, savepoints, bulk};

}  // namespace

const char* Workload::schema() {
    return R"(
        CREATE TABLE payers (id int PRIMARY KEY, balance bigint NOT NULL);
        CREATE TABLE payees (id int PRIMARY KEY, balance bigint NOT NULL);
        CREATE TABLE log (n int, line text);
        CREATE TABLE items (id int PRIMARY KEY, name text, n int);
        CREATE TABLE same (n int, note text);
        ALTER TABLE same REPLICA IDENTITY FULL;
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
        INSERT INTO documents SELECT i, 'title', repeat(md5(i::text), 400) FROM generate_series(1, 30) AS i;
        INSERT INTO parted SELECT i, i FROM generate_series(1, 200) AS i;)";
}

const std::vector<std::string>& Workload::tables() {
    static const std::vector<std::string> names = {"payers", "payees", "log", "items", "same", "documents", "parted"};
    return names;
}

const char* Workload::total_query() {
    return "SELECT (SELECT sum(balance) FROM payers) + (SELECT sum(balance) FROM payees)";
}
const char* Workload::total() { return "100000"; }

Workload::Workload(PostgresServer& server, std::string database, unsigned seed, int clients)
    : server_(server), database_(std::move(database)) {
    for (int i = 0; i < clients; ++i) {
        clients_.emplace_back([this, own = seed + static_cast<unsigned>(i) * 7919U] { run_client(own); });
    }
}

Workload::~Workload() { stop(); }

void Workload::stop() {
    stopping_ = true;
    for (auto& client : clients_) client.join();
    clients_.clear();
}

// A statement that fails (a deadlock, a server that is being killed) is forgotten: the source's contents are the truth.
void Workload::run_client(unsigned seed) {
    Random random(seed);
    std::optional<sql::Connection> connection;
    while (!stopping_) {
        const auto statements =
            makers[static_cast<std::size_t>(dice(random, static_cast<int>(makers.size())) - 1)](random);
        try {
            if (!connection) {
                auto options = server_.connect(database_);
                options.settings.emplace_back("application_name", "workload");
                connection.emplace(std::move(options));
            }
            connection->exec(statements);
            ++committed_;
        } catch (const std::exception&) {
            connection.reset();
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(dice(random, 4)));
    }
}

}  // namespace pgsluice::test
