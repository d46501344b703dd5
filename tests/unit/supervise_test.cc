// Retrying: how often, how long, and when not.
#include "cmd/supervise.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "sql/outage.h"

using namespace pgsluice;

namespace {

using Waits = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;
using Running = std::function<void()>;

// A supervised run without time: what was slept and logged.
struct Run {
    Waits slept;
    Texts logged;
    int sessions = 0;
    std::stop_source stop;

    void operator()(const RetryPolicy& policy, const std::function<void(const Running&)>& session) {
        supervise(
            policy,
            [&](const Running& running) {
                ++sessions;
                session(running);
            },
            [&](std::chrono::milliseconds wait) { slept.push_back(wait.count()); },
            [&](LogLevel, std::string_view text) { logged.emplace_back(text); }, stop.get_token());
    }
};

}  // namespace

TEST_CASE("waits double up to their limit, and tries at start are counted") {
    SessionBackoff backoff({4, 1000, 3000});
    Waits waits;
    while (const auto wait = backoff.next_wait()) waits.push_back(wait->count());
    CHECK(waits == Waits{1000, 2000, 3000, 3000});
}

TEST_CASE("once it has run there is no limit, and waits start small again") {
    SessionBackoff backoff({1, 1000, 8000});
    CHECK(backoff.next_wait()->count() == 1000);
    CHECK_FALSE(backoff.next_wait());
    backoff.running();
    Waits waits;
    for (int i = 0; i < 6; ++i) waits.push_back(backoff.next_wait()->count());
    CHECK(waits == Waits{1000, 2000, 4000, 8000, 8000, 8000});
    backoff.running();
    CHECK(backoff.next_wait()->count() == 1000);
}

TEST_CASE("no retries at all is possible, and huge waits do not overflow") {
    constexpr auto longest = std::numeric_limits<std::int64_t>::max();
    CHECK_FALSE(SessionBackoff({0, 1000, 8000}).next_wait());
    SessionBackoff backoff({100, longest / 2 + 1, longest});
    CHECK(backoff.next_wait()->count() == longest / 2 + 1);
    CHECK(backoff.next_wait()->count() == longest);
    CHECK(backoff.next_wait()->count() == longest);
}

TEST_CASE("a retry error is tried again, saying what for; then given up") {
    Run run;
    const auto fails = [](const Running&) { throw retry_error("unable to connect to source 'h': refused"); };
    CHECK_THROWS_WITH_AS(run({2, 10, 80}, fails), "unable to connect to source 'h': refused", Error);
    CHECK(run.sessions == 3);
    CHECK(run.slept == Waits{10, 20});
    CHECK(run.logged == Texts{"unable to connect to source 'h': refused; trying again in 10 ms (retry 1 of 2)",
                              "unable to connect to source 'h': refused; trying again in 20 ms (retry 2 of 2)"});
}

TEST_CASE("what to do about an outage stands at the end of each line") {
    Run run;
    CHECK_THROWS_AS(run({1, 10, 80}, [](const Running&) { throw retry_error("no room", "Free disk space."); }), Error);
    CHECK(run.logged == Texts{"no room; trying again in 10 ms (retry 1 of 1); HINT: Free disk space."});
}

TEST_CASE("after it has run it continues for ever") {
    Run run;
    run({1, 10, 80}, [&](const Running& running) {
        if (run.sessions == 1) running();
        if (run.sessions < 50) throw retry_error("gone");
    });
    CHECK(run.sessions == 50);
    CHECK(run.logged.back() == "gone; trying again in 80 ms (retry 49)");
}

TEST_CASE("what refuses a start ends one, and is waited out by a session that was running") {
    const auto check_both = [](const auto& error) {
        Run start;
        CHECK_THROWS_AS(start({3, 10, 80}, [&](const Running&) { throw error; }), Error);
        CHECK(start.sessions == 1);
        Run later;
        later({0, 10, 80}, [&](const Running& running) {
            if (later.sessions == 1) running();
            if (later.sessions < 4) throw error;
        });
        CHECK(later.sessions == 4);
        CHECK(later.logged.size() == 3);
    };
    check_both(Outage("unable to connect to NATS at 'h': Authorization Violation"));
    check_both(SqlError(Action::retry, "unable to write: read-only transaction", "25006"));
}

TEST_CASE("the end of an outage is said, once") {
    Run run;
    run({5, 10, 80}, [&](const Running& running) {
        if (run.sessions < 3) throw retry_error("gone");
        running();
        running();
        if (run.sessions == 3) throw retry_error("gone again");
    });
    CHECK(run.logged == Texts{"gone; trying again in 10 ms (retry 1 of 5)",
                              "gone; trying again in 20 ms (retry 2 of 5)", "running again after 2 retries",
                              "gone again; trying again in 10 ms (retry 1)", "running again after 1 retry"});
}

TEST_CASE("stop errors, bugs and strangers pass at once") {
    Run run;
    CHECK_THROWS_AS(run({}, [](const Running&) { throw stop_error("no"); }), Error);
    CHECK_THROWS_AS(run({}, [](const Running&) { throw std::logic_error("bug"); }), std::logic_error);
    CHECK(run.sessions == 2);
    CHECK(run.slept.empty());
}

TEST_CASE("a request to stop ends it, whatever the session throws") {
    Run interrupted;
    interrupted({}, [](const Running&) { throw Interrupted{}; });
    CHECK(interrupted.sessions == 1);

    Run broken;
    broken({}, [&](const Running&) {
        broken.stop.request_stop();
        throw retry_error("connection lost");
    });
    CHECK(broken.slept.empty());
    CHECK(broken.logged == Texts{"connection lost; shutting down, not retrying"});

    Run before;
    before.stop.request_stop();
    before({}, [](const Running&) {});
    CHECK(before.sessions == 0);
}

TEST_CASE("a sleep ends when asked to stop") {
    std::stop_source stop;
    stop.request_stop();
    interruptible_sleep(stop.get_token())(std::chrono::hours(24));
}
