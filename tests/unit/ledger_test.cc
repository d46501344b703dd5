// What may be confirmed to the slot, and when a progress marker is due.
#include "replicator/wal/ledger.h"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace pgsluice;
using namespace std::chrono_literals;

namespace {
const Ledger::Time start_time{};
}

TEST_CASE("only what is acknowledged is confirmed") {
    Ledger ledger(Lsn{10}, 3s, start_time);
    CHECK(ledger.confirmed() == Lsn{10});
    ledger.published(Lsn{20}, start_time);
    ledger.published(Lsn{30}, start_time);
    CHECK(ledger.confirmed() == Lsn{10});
    ledger.acked(Lsn{20});
    CHECK(ledger.confirmed() == Lsn{20});
    ledger.acked(Lsn{30});
    CHECK(ledger.confirmed() == Lsn{30});
}

TEST_CASE("confirmed never goes back") {
    Ledger ledger(Lsn{10}, 3s, start_time);
    ledger.acked(Lsn{5});
    CHECK(ledger.confirmed() == Lsn{10});
}

TEST_CASE("a block in the middle of a transaction publishes without confirming more") {
    Ledger ledger(Lsn{10}, 3s, start_time);
    ledger.published(Lsn{10}, start_time);
    ledger.acked(Lsn{10});
    CHECK(ledger.confirmed() == Lsn{10});
}

TEST_CASE("an acknowledgement of what was not published is a bug") {
    Ledger ledger(Lsn{10}, 3s, start_time);
    CHECK_THROWS_AS(ledger.acked(Lsn{11}), std::logic_error);
    ledger.published(Lsn{20}, start_time);
    CHECK_THROWS_AS(ledger.published(Lsn{19}, start_time), std::logic_error);
}

TEST_CASE("a marker is due when the WAL moved and nothing was published for the interval") {
    Ledger ledger(Lsn{10}, 3s, start_time);
    CHECK_FALSE(ledger.marker_due(Lsn{10}, start_time + 10s));
    CHECK_FALSE(ledger.marker_due(Lsn{20}, start_time + 2999ms));
    CHECK(ledger.marker_due(Lsn{20}, start_time + 3s));
    ledger.published(Lsn{20}, start_time + 3s);
    CHECK_FALSE(ledger.marker_due(Lsn{20}, start_time + 60s));
    CHECK_FALSE(ledger.marker_due(Lsn{30}, start_time + 5999ms));
    CHECK(ledger.marker_due(Lsn{30}, start_time + 6s));
}

TEST_CASE("a server that asks gets its marker at once, but not without progress") {
    Ledger ledger(Lsn{10}, 3s, start_time);
    ledger.hurry();
    CHECK_FALSE(ledger.marker_due(Lsn{10}, start_time));
    CHECK(ledger.marker_due(Lsn{20}, start_time));
    ledger.published(Lsn{20}, start_time);
    CHECK_FALSE(ledger.marker_due(Lsn{30}, start_time + 1s));
}
