#include <doctest/doctest.h>

#include "stream/nats/ack_queue.h"

using namespace pgsluice;
using namespace std::chrono_literals;

namespace {

constexpr AckLimits limits{1000, 4, 1000ms, 250ms};
const AckQueue::Time start{};

PublishReply stored(std::uint64_t seq) { return {PublishReply::Kind::stored, {seq}, {}}; }
const PublishReply full{PublishReply::Kind::full, {}, "maximum bytes exceeded"};
const PublishReply wrong{PublishReply::Kind::wrong_sequence, {}, "wrong last sequence"};

AckQueue with(int messages, std::uint64_t bytes = 10) {
    AckQueue queue({7}, limits);
    for (int i = 1; i <= messages; ++i) queue.push(bytes, Lsn{static_cast<std::uint64_t>(i)});
    return queue;
}

// Sends all that may be sent; how many that was.
int send_all(AckQueue& queue, AckQueue::Time now = start) {
    int sent = 0;
    while (queue.take_next(now)) ++sent;
    return sent;
}

}  // namespace

TEST_CASE("what is confirmed is stored together with all before it") {
    auto queue = with(3);
    CHECK(queue.take_next(start) == 0);
    CHECK(queue.expected_before(0).value == 7);
    CHECK(send_all(queue) == 2);
    queue.reply(1, stored(9), start);
    CHECK_FALSE(queue.confirmed());
    queue.reply(0, stored(8), start);
    CHECK(queue.confirmed() == Lsn{2});
    CHECK(queue.first() == 2);
    queue.reply(0, stored(8), start);
    queue.reply(99, stored(8), start);
    CHECK(queue.broken().empty());
    queue.reply(2, stored(10), start);
    CHECK(queue.first() == queue.end());
}

TEST_CASE("the bytes of what is not stored are known, sent or not, full or not") {
    auto queue = with(6);
    CHECK(queue.bytes() == 60);
    send_all(queue);
    queue.reply(1, stored(9), start);
    CHECK(queue.bytes() == 60);  // the one before is not stored
    queue.reply(0, stored(8), start);
    CHECK(queue.bytes() == 40);
    queue.reply(2, full, start);
    queue.reply(3, wrong, start);
    CHECK(queue.bytes() == 40);
    CHECK(send_all(queue, start + 300ms) == 1);
    queue.reply(2, stored(10), start + 300ms);
    CHECK(queue.bytes() == 30);
}

TEST_CASE("messages and bytes in flight are bounded") {
    auto queue = with(6);
    CHECK(send_all(queue) == 4);
    CHECK_FALSE(queue.has_room());
    queue.reply(0, stored(8), start);
    CHECK(send_all(queue) == 1);
    queue.reply(1, stored(9), start);
    CHECK(send_all(queue) == 1);
    queue.reply(2, stored(10), start);
    CHECK(queue.has_room());
    auto large = with(3, 800);
    CHECK(send_all(large) == 1);
    auto larger = with(2, 5000);
    CHECK(send_all(larger) == 1);
}

TEST_CASE("any doubt breaks it, and the first reason stays") {
    for (const auto& reply :
         {stored(9), stored(7), wrong, PublishReply{PublishReply::Kind::failed, {}, "no responders"}}) {
        auto queue = with(2);
        send_all(queue);
        queue.reply(0, reply, start);
        CHECK_FALSE(queue.broken().empty());
        CHECK_FALSE(queue.take_next(start));
        CHECK_FALSE(queue.has_room());
        const auto reason = queue.broken();
        queue.break_off("later");
        CHECK(queue.broken() == reason);
    }
    auto late = with(1);
    send_all(late);
    late.check_time(start + 1000ms);
    CHECK(late.broken().empty());
    late.check_time(start + 1001ms);
    CHECK_FALSE(late.broken().empty());
}

TEST_CASE("a full stream is waited out with one message, then all follow") {
    auto queue = with(4);
    send_all(queue);
    queue.reply(0, stored(8), start);
    queue.reply(2, wrong, start);
    queue.reply(1, full, start);
    CHECK(queue.full() == "maximum bytes exceeded");
    CHECK_FALSE(queue.has_room());
    CHECK_FALSE(queue.take_next(start + 10s));
    queue.reply(3, wrong, start);
    CHECK(queue.broken().empty());
    CHECK_FALSE(queue.take_next(start + 249ms));
    CHECK(queue.take_next(start + 250ms) == 1);
    CHECK_FALSE(queue.take_next(start + 250ms));
    CHECK_FALSE(queue.take_next(start + 10s));
    queue.reply(1, full, start + 300ms);
    CHECK_FALSE(queue.take_next(start + 549ms));
    CHECK(queue.take_next(start + 550ms) == 1);
    queue.reply(1, stored(9), start + 560ms);
    CHECK(queue.full().empty());
    CHECK(queue.confirmed() == Lsn{2});
    CHECK(send_all(queue) == 2);
    queue.reply(2, stored(10), start);
    queue.reply(3, stored(11), start);
    CHECK(queue.first() == queue.end());
    CHECK(queue.has_room());
}

TEST_CASE("another program writing while the stream was full breaks it") {
    auto queue = with(1);
    send_all(queue);
    queue.reply(0, full, start);
    CHECK(queue.take_next(start + 1s) == 0);
    queue.reply(0, wrong, start + 1s);
    CHECK_FALSE(queue.broken().empty());
}
