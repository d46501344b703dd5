// When a worker that is asked to stop no longer waits for anything.
#include "worker/drain.h"

#include <doctest/doctest.h>

#include <future>
#include <optional>

using namespace pgsluice;

namespace {

constexpr std::chrono::hours for_ever{1};

// Returns once the token fires; the test hangs where it does not.
void await(std::stop_token token) {
    std::promise<void> fired;
    const std::stop_callback callback(std::move(token), [&] { fired.set_value(); });
    fired.get_future().wait();
}

}  // namespace

TEST_CASE("nothing is drained while no session reads: it is over with the signal") {
    std::stop_source signal;
    const Drain drain(signal.get_token(), for_ever);
    CHECK_FALSE(drain.over().stop_requested());
    signal.request_stop();
    await(drain.over());
    CHECK(drain.asked().stop_requested());
}

TEST_CASE("a session that reads has its time, and no more") {
    std::stop_source signal;
    Drain drain(signal.get_token(), std::chrono::milliseconds(20));
    const Drain::Reading reading(drain);
    const auto asked_at = std::chrono::steady_clock::now();
    signal.request_stop();
    await(drain.over());
    CHECK(std::chrono::steady_clock::now() - asked_at >= std::chrono::milliseconds(20));
}

TEST_CASE("it is over when the session has ended, however much time is left") {
    std::stop_source signal;
    Drain drain(signal.get_token(), for_ever);
    std::optional<Drain::Reading> reading(drain);
    signal.request_stop();
    CHECK_FALSE(drain.over().stop_requested());
    reading.reset();
    await(drain.over());
}

TEST_CASE("a signal that came before, and a limit of zero") {
    std::stop_source signal;
    signal.request_stop();
    const Drain late(signal.get_token(), for_ever);
    await(late.over());
    std::stop_source other;
    Drain none(other.get_token(), std::chrono::milliseconds(0));
    const Drain::Reading reading(none);
    other.request_stop();
    await(none.over());
}

TEST_CASE("a worker that ends by itself does not wait for a signal") {
    std::stop_source signal;
    const Drain drain(signal.get_token(), for_ever);
    CHECK_FALSE(drain.over().stop_requested());
}
