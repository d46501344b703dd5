#include "tests/crash/copy_writer.h"

#include <fmt/format.h>

#include <array>

namespace pgsluice::test {
namespace {

constexpr int rows_keyed = 60000;

// {0}: a row's number; {1}: any number.
constexpr std::array statements = {
    "INSERT INTO keyed VALUES ({0} + 60000, 'w{1}') ON CONFLICT (id) DO UPDATE SET pad = 'again'",
    "UPDATE keyed SET pad = 'u{1}' WHERE id BETWEEN {0} AND {0} + 20",
    "DELETE FROM keyed WHERE id BETWEEN {0} AND {0} + 2",
    "UPDATE keyed SET id = id + 1000000 WHERE id = {0} AND NOT EXISTS (SELECT FROM keyed WHERE id = {0} + 1000000)",
    "BEGIN; DELETE FROM keyed WHERE id = {0}; UPDATE keyed SET id = {0} WHERE id = {0} + 1; COMMIT",
    "INSERT INTO keyless SELECT {1}, 'w' FROM generate_series(1, 5)",
    "INSERT INTO whole SELECT {1} % 20, 'same' FROM generate_series(1, 3)",
    "UPDATE whole SET n = {1} % 30 WHERE ctid = (SELECT ctid FROM whole WHERE n = {0} % 20 LIMIT 1)",
    "DELETE FROM whole WHERE ctid IN (SELECT ctid FROM whole WHERE n = {1} % 20 LIMIT 2)"};

}  // namespace

const char* CopyWriter::schema() {
    return R"(CREATE TABLE keyed (id int PRIMARY KEY, pad text);
              CREATE TABLE keyless (n int, pad text);
              CREATE TABLE whole (n int, note text);
              ALTER TABLE whole REPLICA IDENTITY FULL)";
}

const char* CopyWriter::rows() {
    return R"(INSERT INTO keyed SELECT i, repeat('k', 200) FROM generate_series(1, 60000) AS i;
              INSERT INTO keyless SELECT i / 2, repeat('n', 300) FROM generate_series(1, 60000) AS i;
              INSERT INTO whole SELECT i % 20, 'same' FROM generate_series(1, 2000) AS i)";
}

const std::vector<std::string>& CopyWriter::tables() {
    static const std::vector<std::string> names = {"keyed", "keyless", "whole"};
    return names;
}

CopyWriter::CopyWriter(PostgresServer& server, std::string database, unsigned seed, int clients)
    : Clients(server, std::move(database)) {
    start(seed, 104729, clients);
}

std::string CopyWriter::next(Random& random) {
    const auto* statement = statements[random() % statements.size()];
    const auto row = random() % rows_keyed;
    const auto number = random() % 100000;
    return fmt::format(fmt::runtime(statement), row, number);
}

}  // namespace pgsluice::test
