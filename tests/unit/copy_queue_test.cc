#include "replicator/snapshot/copy_queue.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <thread>

using namespace pgsluice;

namespace {

CopiedBlock block(std::string text) { return {{}, std::move(text), 1, false}; }

}  // namespace

TEST_CASE("blocks come out in the order they went in") {
    CopyQueue queue(100, 100);
    CHECK(queue.push(block("one"), {}));
    CHECK(queue.push(block("two"), {}));
    CHECK(queue.pop(0)->text == "one");
    CHECK(queue.pop(0)->text == "two");
    CHECK_FALSE(queue.pop(0));
}

TEST_CASE("a full queue makes the sender wait until there is room") {
    CopyQueue queue(10, 100);
    CHECK(queue.push(block("12345678"), {}));
    std::jthread sender([&] { queue.push(block("abcdefgh"), {}); });
    CHECK(queue.pop(10000)->text == "12345678");
    CHECK(queue.pop(10000)->text == "abcdefgh");
}

TEST_CASE("a block larger than the queue passes alone") {
    CopyQueue queue(10, 100);
    CHECK(queue.push(block(std::string(1000, 'x')), {}));
    CHECK(queue.pop(0)->text.size() == 1000);
}

TEST_CASE("a sender that waits can be stopped") {
    CopyQueue queue(1, 100);
    CHECK(queue.push(block("x"), {}));
    std::stop_source stop;
    std::jthread other([&] { stop.request_stop(); });
    CHECK_FALSE(queue.push(block("y"), stop.get_token()));
}

TEST_CASE("a sender's failure comes out at the receiver, before its blocks") {
    CopyQueue queue(100, 100);
    CHECK(queue.push(block("x"), {}));
    queue.fail(std::make_exception_ptr(std::runtime_error("first")));
    queue.fail(std::make_exception_ptr(std::runtime_error("second")));
    CHECK_THROWS_WITH(queue.pop(0), "first");
}

TEST_CASE("buffers are used again unless they have grown out of bounds") {
    CopyQueue queue(100, 4096);
    std::string text;
    text.reserve(1024);
    const char* memory = text.data();
    queue.give_back(std::move(text));
    const std::string again = queue.buffer();
    CHECK(again.data() == memory);
    CHECK(again.empty());
    std::string huge;
    huge.reserve(8192);
    queue.give_back(std::move(huge));
    CHECK(queue.buffer().capacity() < 8192);
}
