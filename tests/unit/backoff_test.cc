#include "stream/base/backoff.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <limits>

using namespace pgsluice;

TEST_CASE("waits double from the first to the last") {
    Backoff backoff(100, 1000);
    for (const int wait : {100, 200, 400, 800, 1000, 1000}) CHECK(backoff.next_ms() == wait);
    for (int i = 0; i < 100; ++i) CHECK(backoff.next_ms() == 1000);
    CHECK(backoff.failures() == 106);
    backoff.reset();
    CHECK(backoff.failures() == 0);
    CHECK(backoff.next_ms() == 100);
    CHECK(doubled_wait_ms(5000, 1000, 0) == 1000);
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    for (const int failures : {61, 62, 63, 1000}) CHECK(doubled_wait_ms(1000, most, failures) == most);
}

TEST_CASE("jitter takes at most half off a wait") {
    for (const int wait : {1, 100, 101, 1000}) {
        CHECK(jittered_ms(wait, 0) == wait / 2);
        for (const std::uint32_t random : {1U, 50U, 123456789U, 4294967295U}) {
            CHECK(jittered_ms(wait, random) >= wait / 2);
            CHECK(jittered_ms(wait, random) <= wait);
        }
    }
    CHECK(jittered_ms(100, 50) == 100);
}
