#include "stream/base/quiet_rhythm.h"

#include <doctest/doctest.h>

using namespace pgsluice;
using namespace std::chrono_literals;

TEST_CASE("what has been still for a while is looked at rarely, until it moves again") {
    QuietRhythm rhythm(100ms, 2s, 10s);
    const QuietRhythm::Clock::time_point begin{};
    CHECK(rhythm.next(false, begin + 60s) == 100ms);  // the first look
    CHECK(rhythm.next(false, begin + 69s) == 100ms);
    CHECK(rhythm.next(false, begin + 70s) == 2s);
    CHECK(rhythm.next(false, begin + 72s) == 2s);
    CHECK(rhythm.next(true, begin + 74s) == 100ms);
    CHECK(rhythm.next(false, begin + 83s) == 100ms);
    CHECK(rhythm.next(false, begin + 84s) == 2s);
}
