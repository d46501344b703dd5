// What has been waited for long: when it is logged, and what status shows.
#include "stream/waits.h"

#include <doctest/doctest.h>

#include <vector>

using namespace pgsluice;
using namespace std::chrono_literals;

TEST_CASE("a wait is logged when it is new, when something else is known, now and then, and at its end") {
    std::vector<std::string> logged;
    Waits waits([&](LogLevel, std::string_view text) { logged.emplace_back(text); });
    const Waits::Clock::time_point start{};
    const int wait = 0;
    const auto at = [&](std::chrono::seconds time, const std::string& text) {
        waits.goes_on(&wait, "the target at 'h'", text, time, start + time);
    };
    at(10s, "it is at work");
    at(12s, "it is at work");
    at(14s, "it waits for pid 7");
    CHECK(logged == std::vector<std::string>{"still waiting for the target at 'h' after 10 s: it is at work"});
    CHECK(waits.longest() == "the target at 'h' for 14 s: it waits for pid 7");
    at(20s, "it waits for pid 7");
    at(79s, "it waits for pid 7");
    CHECK(logged.size() == 2);
    at(80s, "it waits for pid 7");
    CHECK(logged.size() == 3);
    waits.is_over(&wait, 81s);
    CHECK(logged.back() == "no longer waiting for the target at 'h', after 81 s");
    CHECK(waits.longest().empty());
    waits.is_over(&wait, 81s);
    CHECK(logged.size() == 4);
}

TEST_CASE("of several waits the longest is shown") {
    Waits waits([](LogLevel, std::string_view) {});
    const int one = 0;
    const int two = 0;
    waits.goes_on(&one, "a", "x", 30s);
    waits.goes_on(&two, "b", "y", 12s);
    CHECK(waits.longest() == "a for 30 s: x");
    waits.is_over(&one, 31s);
    CHECK(waits.longest() == "b for 12 s: y");
}
