// The reader that watches over the nemesis's transfers notices a transfer that is seen by halves.
#include "tests/crash/total_reader.h"

#include <doctest/doctest.h>

#include "tests/support/process.h"

using namespace pgsluice::test;

TEST_CASE("the reader of the total sees whole transfers as right and half a transfer as wrong") {
    auto& server = shared_postgres();
    const std::string database = server.create_database();
    server.sql(database, Workload::schema());
    server.sql(database, Workload::rows());
    const TotalReader reader(server, database);
    server.sql(database,
               "BEGIN; UPDATE payers SET balance = balance - 5 WHERE id = 1; UPDATE payees SET balance = balance + 5 "
               "WHERE id = 2; COMMIT");
    const long looked = reader.looked();
    eventually("the reader has looked again", [&] { return reader.looked() > looked + 1; });
    CHECK(reader.wrong() == 0);
    server.sql(database, "UPDATE payers SET balance = balance - 7 WHERE id = 1");
    eventually("the reader sees the half", [&] { return reader.wrong() > 0; });
}
