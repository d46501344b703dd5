// The SQL that reads one end of a compared table.
#include "worker/compare/statements.h"

#include <doctest/doctest.h>

using namespace pgsluice;

namespace {

RowStore store() {
    RowStore store;
    store.from = R"(ONLY "public"."users")";
    store.pages = 100'000;
    store.values = {R"("id")", R"("name")"};
    return store;
}

ComparedTable users(RangeKey range_key, std::string type) {
    ComparedTable table;
    table.columns = {"id", "name"};
    table.key = {0};
    table.range_key = range_key;
    table.range_type = std::move(type);
    table.source.push_back(store());
    return table;
}

const std::string row_hash = R"(hashtextextended(ROW("id", "name")::text COLLATE "C", 0))";

}  // namespace

TEST_CASE("checksums by ranges of the key") {
    ComparedTable table = users(RangeKey::plain, "bigint");
    CHECK(sums_statement(table, store(), Pages{0, 0}) ==
          "SELECT 0, count(*), sum(" + row_hash +
              R"() FROM ONLY "public"."users" WHERE ctid >= '(0,0)'::tid GROUP BY 1)");
    table.bounds = {"-5", "100"};
    CHECK(sums_statement(table, store(), Pages{10, 20}) ==
          R"(SELECT coalesce(width_bucket("id", '{"-5","100"}'::bigint[]), 0), count(*), sum()" + row_hash +
              R"() FROM ONLY "public"."users" WHERE ctid >= '(10,0)'::tid AND ctid < '(20,0)'::tid GROUP BY 1)");
}

TEST_CASE("one range is found by an index where there can be one") {
    ComparedTable table = users(RangeKey::plain, "bigint");
    table.bounds = {"5", "10"};
    const auto where = [&](std::size_t range) {
        const std::string text = digests_statement(table, store(), std::span(&range, 1));
        return text.substr(text.find("WHERE "));
    };
    CHECK(where(0) == R"(WHERE ("id" < '5'::bigint OR "id" IS NULL)) TO STDOUT)");
    CHECK(where(1) == R"(WHERE "id" >= '5'::bigint AND "id" < '10'::bigint) TO STDOUT)");
    CHECK(where(2) == R"(WHERE "id" >= '10'::bigint) TO STDOUT)");
}

TEST_CASE("texts are ordered by their bytes, other keys by their hash") {
    ComparedTable table = users(RangeKey::bytes, "text");
    table.bounds = {R"(a"b\c)"};
    CHECK(sums_statement(table, store(), Pages{})
              .find(R"(width_bucket(left("id", 32) COLLATE "C", E'{"a\\"b\\\\c"}'::text[]))") != std::string::npos);
    table = users(RangeKey::hashed, "bigint");
    table.bounds = hash_bounds(4);
    CHECK(table.bounds == std::vector<std::string>{"-4611686018427387905", "-2", "4611686018427387901"});
    const std::vector<std::size_t> ranges{1, 3};
    CHECK(digests_statement(table, store(), ranges).find("= ANY ('{1,3}'::int[])") != std::string::npos);
}

// Ordered as texts they would cut ranges that width_bucket() does not know.
TEST_CASE("bounds are in the order of their type") {
    const ComparedTable table = users(RangeKey::plain, "bigint");
    const std::string text = bounds_statement(table, 8);
    CHECK(text.find("SELECT b::text FROM") == 0);
    CHECK(text.find("ORDER BY d.b") != std::string::npos);
    CHECK(text.find("TABLESAMPLE SYSTEM (1.99") != std::string::npos);
}
