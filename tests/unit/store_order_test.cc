#include "stream/nats/store_order.h"

#include <doctest/doctest.h>

using namespace pgsluice;

namespace {

StoreOrder with_sent(int count) {
    StoreOrder order;
    for (int n = 0; n < count; ++n) order.sent();
    return order;
}

}  // namespace

TEST_CASE("what is stored in order is done from the front") {
    StoreOrder order = with_sent(3);
    order.stored(1, {"CDC", 11, false});
    CHECK(order.first() == 0);
    order.stored(0, {"CDC", 10, false});
    CHECK(order.first() == 2);
    CHECK_FALSE(order.all_answered());
    order.stored(2, {"CDC", 12, false});
    CHECK(order.unsettled() == 0);
    CHECK(order.acknowledged() == 3);
    CHECK_FALSE(order.disordered());
}

TEST_CASE("duplicates of an earlier life come before what it did not store") {
    StoreOrder order = with_sent(3);
    order.stored(0, {"CDC", 10, true});
    order.stored(1, {"CDC", 11, true});
    order.stored(2, {"CDC", 40, false});
    CHECK(order.unsettled() == 0);
}

TEST_CASE("a duplicate that is stored before its predecessor, and all after it, are to be stored again") {
    StoreOrder order = with_sent(3);
    order.stored(0, {"CDC", 12, false});  // refused before
    order.stored(1, {"CDC", 11, true});   // stored at that time
    CHECK(order.disordered());
    CHECK_FALSE(order.all_answered());
    CHECK(order.first() == 1);
    order.stored(2, {"CDC", 13, false});
    CHECK(order.all_answered());
    CHECK(order.unsettled() == 2);
    order.sent_again();
    CHECK_FALSE(order.disordered());
    order.stored(1, {"CDC", 14, false});
    order.stored(2, {"CDC", 15, false});
    CHECK(order.unsettled() == 0);
}

TEST_CASE("streams are distinguished, and one that was created again counts from 1") {
    StoreOrder order = with_sent(4);
    order.stored(0, {"A", 100, false});
    order.stored(1, {"B", 5, true});
    order.stored(2, {"B", 6, true});
    order.stored(3, {"A", 1, false});
    CHECK(order.unsettled() == 0);
}
