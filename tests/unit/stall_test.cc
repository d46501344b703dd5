#include "stream/nats/stall.h"

#include <doctest/doctest.h>

using namespace pgsluice;
using namespace std::chrono_literals;
using nats::Stall;

namespace {

const Stall::Time begin{};

}  // namespace

TEST_CASE("a delivery stalls when the stream has held for a while what it did not bring") {
    Stall stall;
    CHECK_FALSE(stall.look({5}, {4}, begin));
    CHECK_FALSE(stall.look({5}, {6}, begin + 1h));
    CHECK_FALSE(stall.look({5}, {9}, begin + 1h + Stall::limit - 1ms));
    CHECK(stall.look({5}, {9}, begin + 1h + Stall::limit));
    CHECK_FALSE(stall.look({5}, {9}, begin + 1h + Stall::limit + 1ms));  // the next one has as long
    CHECK(stall.look({5}, {9}, begin + 1h + 2 * Stall::limit + 1ms));
}

TEST_CASE("one that brings something, or all there is, does not") {
    Stall stall;
    CHECK_FALSE(stall.look({5}, {9}, begin));
    CHECK_FALSE(stall.look({6}, {9}, begin + Stall::limit));
    CHECK_FALSE(stall.look({10}, {9}, begin + 2 * Stall::limit));
    CHECK_FALSE(stall.look({10}, {10}, begin + 3 * Stall::limit));
    CHECK_FALSE(stall.look({10}, {10}, begin + 4 * Stall::limit - 1ms));
}
