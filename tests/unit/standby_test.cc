// When a lease counts as not renewed, and how leases and standbys' reports are kept.
#include "replicator/failover/standby.h"

#include <doctest/doctest.h>

#include "sql/error.h"
#include "stream/group/lease.h"

using namespace pgsluice;
using namespace std::chrono_literals;

TEST_CASE("a lease has expired when it was the same for as long as that") {
    const LeaseWatch::Time begin{};
    LeaseWatch watch;
    CHECK_FALSE(watch.expired(7, begin));
    CHECK_FALSE(watch.expired(7, begin + LeaseWatch::expiry - 1ms));
    CHECK_FALSE(watch.expired(8, begin + LeaseWatch::expiry));  // renewed just in time
    CHECK_FALSE(watch.expired(8, begin + 2 * LeaseWatch::expiry - 1ms));
    CHECK(watch.expired(8, begin + 2 * LeaseWatch::expiry));
}

TEST_CASE("the time begins with the first look, however old the lease is") {
    LeaseWatch watch;
    const LeaseWatch::Time late = LeaseWatch::Time{} + 1h;
    CHECK_FALSE(watch.expired(7, late));
    CHECK(watch.expired(7, late + LeaseWatch::expiry));
}

TEST_CASE("leases and reports are what FORMAT.md shows") {
    const Lease lease{"4711 since 2024-10-07 12:00:00.123456+00", "a", 1234, 781234567990123};
    CHECK(
        encode(lease) ==
        R"({"holder":"4711 since 2024-10-07 12:00:00.123456+00","host":"a","pid":1234,"renewed_us":781234567990123})");
    CHECK(decode_lease(encode(lease)) == lease);
    const StandbyReport report{"b", 2345, 781234567890123, 781234567990123};
    CHECK(encode(report) == R"({"host":"b","pid":2345,"since_us":781234567890123,"reported_us":781234567990123})");
    CHECK(decode_standby(encode(report)) == report);
    CHECK_THROWS_AS(decode_lease("{}"), Error);
    CHECK_THROWS_AS(decode_standby(encode(lease)), Error);
}

TEST_CASE("a lease of before that a server which lags answers with is no renewal") {
    const LeaseWatch::Time begin{};
    LeaseWatch watch;
    CHECK_FALSE(watch.expired(7, begin));
    CHECK_FALSE(watch.expired(8, begin + 1s));
    for (auto at = 2s; at < 1s + LeaseWatch::expiry; at += 1s)
        CHECK_FALSE(watch.expired(at % 2s == 0s ? 7 : 8, begin + at));
    CHECK(watch.expired(8, begin + 1s + LeaseWatch::expiry));
    for (std::uint64_t revision = 9; revision < 500; ++revision)
        CHECK_FALSE(watch.expired(revision, begin + 1h + std::chrono::seconds(revision)));
    CHECK(watch.expired(499, begin + 1h + 499s + LeaseWatch::expiry));
}
