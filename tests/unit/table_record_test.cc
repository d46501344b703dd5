#include "stream/group/table_record.h"

#include <doctest/doctest.h>

#include "sql/error.h"

using namespace pgsluice;

TEST_CASE("a page of the record of tables is read as it was written") {
    TableRecord copied{16385,  742, "16390:751", {"shop", "orders_1"}, {"shop", "orders"}, 16384, TableState::copied,
                       Lsn{99}};
    copied.epoch = 3;
    copied.rows = 0;
    TableRecord due{16400, 4000000000U, "", {"a\"b", "c"}, {"a\"b", "c"}, 16400, TableState::copy_due, Lsn{7}};
    due.replaces = true;
    due.reason = "re-created";
    due.came_as = {{"a\"b", "root"}};
    TableRecord moved = due;
    moved.oid = 16401;
    moved.came_as = {{"a\"b", "root"}, {"s", "t"}, {"s", "u"}};
    std::vector<TableRecord> page{copied, due, moved};
    for (const auto state : {TableState::born_empty, TableState::not_copied, TableState::assumed, TableState::left})
        page.push_back({20000, 1, "x", {"s", "t"}, {"s", "t"}, 20000, state, Lsn{}});
    CHECK(decode_table_records(encode(page)) == page);
    CHECK(decode_table_records(encode(std::vector<TableRecord>{})).empty());
}

TEST_CASE("an entry of the record of tables is what FORMAT.md shows") {
    TableRecord table{16385,         742, "16390", {"public", "users"}, {"public", "users"}, 16385, TableState::copied,
                      Lsn{0x16B2D50}};
    table.epoch = 1;
    table.rows = 2;
    CHECK(encode(std::vector{table}) ==
          R"({"tables":[{"oid":16385,"created_xid":742,"capture":"16390","schema":"public","table":"users",)"
          R"("state":"copied","lsn":"0/16B2D50","epoch":1,"rows":2}]})");
}

TEST_CASE("a page of the record that a later version wrote is refused, fields that are new are ignored") {
    CHECK_THROWS_AS(decode_table_records(
                        R"({"tables":[{"oid":1,"created_xid":2,"capture":"","schema":"s","table":"t","state":"odd",)"
                        R"("lsn":"0/1"}]})"),
                    Error);
    const auto read = decode_table_records(
        R"({"tables":[{"oid":1,"created_xid":2,"capture":"","schema":"s","table":"t","state":"left","lsn":"0/1",)"
        R"("more":1}],"next":2})");
    REQUIRE(read.size() == 1);
    CHECK(!read[0].active());
}
