#include "tests/crash/table_writer.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "tests/crash/table_changes.h"

namespace pgsluice::test {
namespace {

constexpr int ids = 900;

// A partition's rows lie in its own range, so that it can be attached at any time.
int base_of(const std::string& table) { return table[0] == 'p' ? (table[1] - '0') * 1000 : 0; }

std::string change(std::mt19937& random) {
    const auto tables = TableChanges::all();
    const std::string table = tables[random() % tables.size()];
    const int base = base_of(table);
    const auto id = base + static_cast<int>(random() % ids);
    const auto other = base + static_cast<int>(random() % ids);
    switch (random() % 8) {
        case 0:
        case 1:
        case 2:
            return fmt::format("INSERT INTO {} VALUES ({}, 'w') ON CONFLICT DO NOTHING", table, id);
        case 3:
            return fmt::format("UPDATE ONLY {} SET v = v || 'u' WHERE id % 7 = {}", table, random() % 7);
        case 4:
            return fmt::format(
                "UPDATE ONLY {0} SET id = {2} WHERE id = {1} AND NOT EXISTS (SELECT FROM {0} x WHERE "
                "x.id = {2})",
                table, id, other);
        case 5:
            return fmt::format("DELETE FROM ONLY {} WHERE id % 31 = {}", table, random() % 31);
        case 6:
            return fmt::format(
                "INSERT INTO {0} SELECT i, 'many' FROM generate_series({1}, {1} + 20) i ON CONFLICT DO "
                "NOTHING",
                table, base + static_cast<int>(random() % (ids - 20)));
        default:
            // PostgreSQL does not send a partition's TRUNCATE where its root is published in its place.
            return table[0] != 'p' && random() % 20 == 0 ? "TRUNCATE ONLY " + table
                                                         : "UPDATE m SET v = 'm' WHERE id % 50 = 1";
    }
}

}  // namespace

TableWriter::TableWriter(PostgresServer& server, std::string database, unsigned seed, int clients)
    : Clients(server, std::move(database)) {
    start(seed, 104729, clients);
}

// One statement, or several in a transaction that may be rolled back, or be open for a while.
std::string TableWriter::next(Random& random) {
    if (random() % 3 != 0) return change(random);
    std::string transaction = "BEGIN; ";
    for (auto left = random() % 4 + 1; left > 0; --left) {
        transaction += change(random) + "; ";
        if (random() % 4 == 0) transaction += fmt::format("SELECT pg_sleep(0.{:03}); ", random() % 200);
    }
    return transaction + (random() % 10 == 0 ? "ROLLBACK" : "COMMIT");
}

// What matters is what is open when a table changes, not how much is written.
void TableWriter::rest(Random& random, bool /*failed*/) {
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 20));
}

}  // namespace pgsluice::test
