// Lag in seconds and bytes from looks at where the end is and where the follower.
#include "cmd/http/lag_clock.h"

#include <doctest/doctest.h>

using namespace pgsluice;

namespace {

constexpr std::int64_t second = 1'000'000;

}  // namespace

TEST_CASE("nothing is said before the first look") {
    const LagClock clock;
    CHECK_FALSE(clock.seconds(5, 0, second));
    CHECK_FALSE(clock.distance(5));
}

TEST_CASE("a follower at the end has no lag, however long ago the last transaction was") {
    LagClock clock;
    clock.look(100, 100, 10 * second);
    CHECK(clock.seconds(100, 1, 500 * second) == 0);
    CHECK(clock.distance(100) == 0);
}

TEST_CASE("a follower that stands still lags since it was last at the end") {
    LagClock clock;
    clock.look(100, 100, 10 * second);
    clock.look(100, 100, 20 * second);
    clock.look(150, 100, 30 * second);
    clock.look(180, 100, 40 * second);
    CHECK(clock.seconds(100, 0, 45 * second) == 25);
    CHECK(clock.distance(100) == 80);
}

TEST_CASE("a follower that is always a little short of a moving end lags by the time between looks only") {
    LagClock clock;
    for (int at = 1; at <= 100; ++at) clock.look(at * 10, (at - 1) * 10 + 5, at * second);
    const auto lag = clock.seconds(995, 0, 100 * second);
    REQUIRE(lag);
    CHECK(*lag <= 1);
}

TEST_CASE("a commit time later than the last look counts") {
    LagClock clock;
    clock.look(100, 0, 10 * second);
    clock.look(200, 50, 20 * second);
    CHECK(clock.seconds(50, 18 * second, 21 * second) == 3);
}

TEST_CASE("an end that falls begins anew, and a clock that is set back gives no negative lag") {
    LagClock clock;
    clock.look(1000, 1000, 10 * second);
    clock.look(20, 10, 11 * second);
    CHECK(clock.distance(10) == 10);
    CHECK(clock.seconds(10, 0, 5 * second) == 0);
}

TEST_CASE("a follower that does not move for days costs little") {
    LagClock clock;
    for (int at = 1; at <= 200'000; ++at) clock.look(at, 0, at * second);
    CHECK(clock.seconds(0, 0, 200'000 * second) == 199'999);
}
