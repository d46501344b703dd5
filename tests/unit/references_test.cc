// The key `references` of a group's bucket.
#include "stream/group/references.h"

#include <doctest/doctest.h>

#include "sql/error.h"

using namespace pgsluice;

TEST_CASE("foreign keys are read as they were written") {
    const std::vector<ColumnReference> references{{{"public", "orders"}, "buyer", {"crm", "users"}, "e\"mail", true},
                                                  {{"s", "t"}, "a", {"s", "t"}, "b", false}};
    CHECK(decode_references(encode(references)) == references);
    CHECK(encode(std::vector<ColumnReference>{}) == R"({"references":[]})");
    CHECK(decode_references(R"({"references":[]})").empty());
    CHECK_THROWS_AS(decode_references(R"({"references":[{"schema":"s"}]})"), Error);
}
