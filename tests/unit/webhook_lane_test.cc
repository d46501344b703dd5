#include "sinks/webhook/lane.h"

#include <doctest/doctest.h>

using namespace pgsluice;

namespace {

WebhookEvent event(std::uint64_t ordinal) {
    WebhookEvent made;
    made.number = ordinal;
    made.key.position = {Lsn{0x16B2D50}, ordinal};
    return made;
}

void push(WebhookLane& lane, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t n = from; n <= to; ++n) lane.push(event(n), "{" + std::to_string(n) + "}");
}

}  // namespace

TEST_CASE("a batch size of one posts objects, a larger one arrays") {
    WebhookLane one(1, 1, 1);
    push(one, 1, 2);
    CHECK(one.take() == "{1}");
    CHECK(one.key() == "0/16B2D50:1");
    one.accepted();
    CHECK(one.take() == "{2}");
    one.accepted();
    CHECK(one.empty());

    WebhookLane three(3, 1, 1);
    push(three, 1, 2);
    CHECK_FALSE(three.full());
    push(three, 3, 4);
    CHECK(three.full());
    CHECK(three.take() == "[{1},{2},{3}]");
    CHECK(three.key() == "0/16B2D50:1..0/16B2D50:3");
    CHECK(three.accepted() == 9);
    CHECK(three.take() == "[{4}]");
    CHECK(three.key() == "0/16B2D50:4");
    three.accepted();
    CHECK(three.empty());
}

TEST_CASE("what failed is repeated as it was, and later what came meanwhile") {
    WebhookLane lane(2, 1, 1);
    push(lane, 1, 2);
    CHECK(lane.take() == "[{1},{2}]");
    push(lane, 3, 3);
    CHECK(lane.busy());
    lane.failed(7);
    CHECK_FALSE(lane.busy());
    CHECK(lane.failures() == 1);
    CHECK(lane.take() == "[{1},{2}]");
    lane.accepted();
    CHECK(lane.failures() == 0);
    CHECK(lane.take() == "[{3}]");
}

TEST_CASE("a request that was not full is repeated as it was, too") {
    WebhookLane lane(4, 1, 1);
    push(lane, 1, 2);
    CHECK(lane.take() == "[{1},{2}]");
    push(lane, 3, 6);
    lane.failed(7);
    CHECK(lane.full());
    CHECK(lane.take() == "[{1},{2}]");
    CHECK(lane.key() == "0/16B2D50:1..0/16B2D50:2");
    lane.failed(7);
    CHECK(lane.take() == "[{1},{2}]");
    lane.halve();
    CHECK(lane.take() == "[{1}]");
    lane.accepted();
    CHECK(lane.take() == "[{2}]");
    lane.accepted();
    CHECK(lane.take() == "[{3}]");
}

TEST_CASE("what is too large goes in halves, and whole again later") {
    WebhookLane lane(4, 1, 1);
    push(lane, 1, 200);
    CHECK(lane.take() == "[{1},{2},{3},{4}]");
    lane.halve();
    CHECK(lane.take() == "[{1},{2}]");
    lane.halve();
    CHECK(lane.take() == "[{1}]");
    lane.accepted();
    for (int n = 2; n <= 50; ++n) {
        CHECK(lane.take() == "[{" + std::to_string(n) + "}]");
        lane.accepted();
    }
    CHECK(lane.take() == "[{51},{52}]");
    lane.halve();
    for (int n = 51; n <= 100; ++n) {
        CHECK(lane.take() == "[{" + std::to_string(n) + "}]");
        lane.accepted();
    }
    for (int n = 101; n <= 199; n += 2) {
        lane.take();
        CHECK(lane.in_flight() == 2);
        lane.accepted();
    }
    push(lane, 201, 204);
    CHECK(lane.take() == "[{201},{202},{203},{204}]");
}
