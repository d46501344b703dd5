#include "cmd/run/start_gate.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

using namespace pgsluice;
using namespace std::chrono_literals;

TEST_CASE("a part starts once one of those before it has, or has taken too long") {
    std::stop_source stop;
    StartGate gate(2, 24h);
    CHECK(gate.enter(0, stop.get_token()));
    CHECK(gate.enter(1, stop.get_token()));
    std::atomic<bool> entered = false;
    std::thread third([&] { entered = gate.enter(2, stop.get_token()); });
    CHECK_FALSE(entered);
    gate.leave(1);
    third.join();
    CHECK(entered);
    gate.leave(1);  // again

    StartGate impatient(1, 1ms);
    CHECK(impatient.enter(0, stop.get_token()));
    CHECK(impatient.enter(1, stop.get_token()));
}

TEST_CASE("a stop ends the wait for the others") {
    std::stop_source stop;
    StartGate gate(1, 24h);
    CHECK(gate.enter(0, stop.get_token()));
    std::thread asking([&] { stop.request_stop(); });
    CHECK_FALSE(gate.enter(1, stop.get_token()));
    asking.join();
}
