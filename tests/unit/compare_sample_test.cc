// Which ranges of a table are its sample.
#include "worker/compare/sample.h"

#include <doctest/doctest.h>

#include "worker/compare/pieces.h"

using namespace pgsluice;

using Ranges = std::vector<std::size_t>;

TEST_CASE("a sample is spread over the ranges, and has the last one") {
    CHECK(spread_over(20, 20) == Ranges{4, 9, 14, 19});
    CHECK(spread_over(7, 30) == Ranges{2, 6});
    CHECK(spread_over(3, 100) == Ranges{0, 1, 2});
    CHECK(spread_over(1, 50) == Ranges{0});
    CHECK(spread_over(500, 0.01) == Ranges{499});
    CHECK(spread_over(1280, 5).size() == 64);
}

TEST_CASE("the smaller the share, the more ranges; of few pages there is no sample") {
    CHECK(ranges_for_sample(0, 5) == 0);
    CHECK(ranges_for_sample(63, 5) == 0);
    CHECK(ranges_for_sample(64, 5) == 64);
    CHECK(ranges_for_sample(100'000, 5) == 1280);
    CHECK(ranges_for_sample(100'000, 1) == 6400);
    CHECK(ranges_for_sample(100'000'000, 0.01) == 8192);
    CHECK(ranges_for_sample(10'000'000, 50) == 4882);  // no range of more than 16 MiB
}

TEST_CASE("of a sample that an index finds only its ranges are read") {
    ComparedTable table;
    table.range_key = RangeKey::plain;
    table.range_type = "bigint";
    table.key = {0};
    table.ranges = 4;
    table.bounds = {"10", "20", "30"};
    table.sample = {1, 3};
    RowStore store;
    store.pages = 100;
    store.from = "t";
    store.values = {"id"};
    table.source = {store, store};
    Pieces pieces({&table, 1}, &ComparedTable::source, 10);
    for (const std::size_t number : {0U, 1U}) {
        for (const std::size_t range : table.sample) {
            const auto piece = pieces.take();
            REQUIRE(piece);
            CHECK(piece->store == number);
            CHECK(std::get<std::size_t>(piece->part) == range);
        }
    }
    CHECK(!pieces.take());
    CHECK(sums_statement(table, store, std::size_t{1})
              .ends_with(" WHERE id >= '10'::bigint AND id < '20'::bigint GROUP BY 1"));

    table.range_key = RangeKey::hashed;
    CHECK(pages_to_read(table, store) == 100);
    CHECK(sums_statement(table, store, Pages{0, 10}).find(" = ANY ('{1,3}'::int[]) GROUP BY 1") != std::string::npos);
}
