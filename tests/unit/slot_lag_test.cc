// For how long a slot has been behind, by looks at it.
#include <doctest/doctest.h>

#include "replicator/source/slot/lag.h"
#include "stream/health/replicator_entry.h"

using namespace pgsluice;

namespace {

constexpr std::int64_t second = 1'000'000;

}  // namespace

TEST_CASE("a slot that keeps up is not behind, one that stands still is behind since what it lacks was written") {
    SlotLag lag;
    CHECK(lag.look(Lsn{100}, Lsn{100}, 1 * second) == 0);
    CHECK(lag.look(Lsn{100}, Lsn{200}, 2 * second) == 0);
    CHECK(lag.look(Lsn{100}, Lsn{300}, 5 * second) == 3);
    CHECK(lag.look(Lsn{100}, Lsn{300}, 9 * second) == 7);
    CHECK(lag.look(Lsn{200}, Lsn{300}, 10 * second) == 5);
    CHECK(lag.look(Lsn{300}, Lsn{300}, 11 * second) == 0);
    CHECK(lag.look(Lsn{300}, Lsn{400}, 12 * second) == 0);
}

TEST_CASE("a source that was set back begins anew, and a long lag stays known") {
    SlotLag lag;
    lag.look(Lsn{100}, Lsn{200}, 1 * second);
    CHECK(lag.look(Lsn{100}, Lsn{150}, 5 * second) == 0);
    for (std::uint64_t i = 1; i < 100'000; ++i)
        lag.look(Lsn{100}, Lsn{150 + i}, static_cast<std::int64_t>(5 + i) * second);
    CHECK(lag.look(Lsn{100}, Lsn{200'000}, 200'005 * second) == 200'000);
}

TEST_CASE("what the replicator reported of a slot that has not moved since counts on") {
    SlotHealth reported;
    reported.confirmed = Lsn{100};
    reported.behind_bytes = 50;
    reported.behind_seconds = 30;
    reported.seen_us = 100 * second;
    SlotHealth now = reported;
    now.seen_us = 104 * second;
    now.behind_seconds = 0.1;  // as PostgreSQL measured it last
    add_reported_lag(now, reported);
    CHECK(now.behind_seconds == 34);
    now.behind_seconds.reset();
    add_reported_lag(now, reported);
    CHECK(now.behind_seconds == 34);
    now.behind_seconds = 60;
    add_reported_lag(now, reported);
    CHECK(now.behind_seconds == 60);

    now.confirmed = Lsn{101};
    now.behind_seconds = 0.1;
    add_reported_lag(now, reported);
    CHECK(now.behind_seconds == 0.1);
    now = reported;
    now.behind_bytes = 0;
    now.behind_seconds = 0;
    add_reported_lag(now, reported);
    CHECK(now.behind_seconds == 0);
}
