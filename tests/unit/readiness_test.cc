// Ready is who makes progress, or has nothing to do.
#include "cmd/http/readiness.h"

#include <doctest/doctest.h>

using namespace pgsluice;
using namespace std::chrono_literals;

namespace {

const Readiness::Time start{1000s};

Movement idle() { return {true, "", false, 7, ""}; }
Movement busy(std::uint64_t moved) { return {true, "", true, moved, "the stream is full"}; }

}  // namespace

TEST_CASE("what does not run yet is starting, or says why it does not run") {
    Readiness readiness;
    CHECK(readiness.reason(start) == "starting");
    readiness.look({false, "unable to connect", false, 0, ""}, start);
    CHECK(readiness.reason(start) == "waiting to start again after: unable to connect");
}

TEST_CASE("an idle one is ready for ever") {
    Readiness readiness;
    readiness.look(idle(), start);
    CHECK(readiness.reason(start + 24h).empty());
}

TEST_CASE("work that does not move for 30 s is not ready, and is again once it moves") {
    Readiness readiness;
    readiness.look(busy(1), start);
    readiness.look(busy(1), start + 29s);
    CHECK(readiness.reason(start + 29s).empty());
    readiness.look(busy(1), start + 31s);
    CHECK(readiness.reason(start + 31s) == "no progress for 31 s: the stream is full");
    readiness.look(busy(2), start + 32s);
    CHECK(readiness.reason(start + 33s).empty());
}

TEST_CASE("the time without progress counts from the beginning of the work and of the session") {
    Readiness readiness;
    readiness.look(idle(), start);
    readiness.look(idle(), start + 100s);
    readiness.look(busy(7), start + 101s);
    CHECK(readiness.reason(start + 120s).empty());
    readiness.look({false, "", false, 7, ""}, start + 121s);
    readiness.look(busy(7), start + 150s);
    CHECK(readiness.reason(start + 160s).empty());
}
