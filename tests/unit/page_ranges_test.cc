#include "sql/page_ranges.h"

#include <doctest/doctest.h>

#include <map>
#include <thread>

using namespace pgsluice;

TEST_CASE("an empty part and a small one are one open-ended range each") {
    const PartSize parts[] = {{0, 0, 0}, {1, 0, 3}};
    CHECK(plan_ranges(parts, 8192) == std::vector<PageRange>{{1, 0, 0, 0, 3}, {0, 0, 0, 0, 0}});
}

TEST_CASE("ranges of a part cover it without gap or overlap, the last one open-ended") {
    for (const std::uint64_t pages : {1UL, 8191UL, 8192UL, 12287UL, 12288UL, 100000UL, 40000000UL}) {
        CAPTURE(pages);
        const PartSize parts[] = {{0, 0, pages}};
        std::uint64_t next = 0;
        const auto ranges = plan_ranges(parts, 8192);
        for (std::size_t i = 0; i < ranges.size(); ++i) {
            CHECK(ranges[i].first_page == next);
            next = ranges[i].end_page;
            CHECK((next == 0) == (i + 1 == ranges.size()));
            CHECK(ranges[i].pages <= 8192 + 4096);
        }
    }
}

TEST_CASE("a part that is not to be cut is one range, at the place of its size") {
    const PartSize parts[] = {{0, 0, 50}, {1, 0, 100000, true}};
    CHECK(plan_ranges(parts, 100) == std::vector<PageRange>{{1, 0, 0, 0, 100000}, {0, 0, 0, 0, 50}});
}

TEST_CASE("the largest table comes first, its parts together, the largest part first") {
    const PartSize parts[] = {{0, 0, 50}, {1, 0, 30}, {1, 1, 40}, {2, 0, 60}};
    std::vector<std::pair<std::uint32_t, std::uint32_t>> order;
    for (const auto& range : plan_ranges(parts, 100)) order.emplace_back(range.table, range.part);
    CHECK(order == std::vector<std::pair<std::uint32_t, std::uint32_t>>{{1, 1}, {1, 0}, {2, 0}, {0, 0}});
}

TEST_CASE("no parts, no ranges") {
    CHECK(plan_ranges({}, 8192).empty());
    RangeQueue queue({}, 4);
    CHECK_FALSE(queue.take({}));
}

TEST_CASE("a table has at most so many ranges out; the next table's go instead") {
    RangeQueue queue({{0, 0, 0, 1, 1}, {0, 0, 1, 2, 1}, {0, 0, 2, 0, 1}, {1, 0, 0, 0, 1}}, 2);
    const auto first = queue.take({});
    CHECK(queue.take({})->first_page == 1);
    CHECK(queue.take({})->table == 1);
    std::jthread other([&] { queue.finished(*first); });
    CHECK(queue.take({})->first_page == 2);
    CHECK_FALSE(queue.take({}));
}

TEST_CASE("a thread that waits for its table's turn can be stopped") {
    RangeQueue queue({{0, 0, 0, 1, 1}, {0, 0, 1, 0, 1}}, 1);
    CHECK(queue.take({}));
    std::stop_source stop;
    std::jthread other([&] { stop.request_stop(); });
    CHECK_FALSE(queue.take(stop.get_token()));
}
