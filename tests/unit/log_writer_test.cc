// Log lines: one per message, whatever the message holds.
#include "cmd/terminal/log_writer.h"

#include <doctest/doctest.h>

#include "cmd/terminal/log_fields.h"
#include "cmd/terminal/storm.h"

using namespace pgsluice;

namespace {
const LogOptions json{LogLevel::info, LogFormat::json, "", ""};
const auto moment = std::chrono::system_clock::time_point(std::chrono::milliseconds(1767323045678));
}  // namespace

TEST_CASE("text lines carry a UTC time stamp and the level") {
    CHECK(format_log_line({}, moment, LogLevel::info, "copied 'users'") ==
          "2026-01-02T03:04:05.678Z info    copied 'users'\n");
    CHECK(format_log_line({}, moment, LogLevel::warning, "a\nb\x1b[0m") ==
          "2026-01-02T03:04:05.678Z warning a\\nb\\u001b[0m\n");
    CHECK(format_log_line({}, moment, LogLevel::info,
                          "\xc2\x9b"
                          "31m \xc2\xa0\xc3\xa4 \xc2") ==
          "2026-01-02T03:04:05.678Z info    \\u009b31m \xc2\xa0\xc3\xa4 \xc2\n");
}

TEST_CASE("JSON lines are JSON") {
    const std::string line = format_log_line(json, moment, LogLevel::error, "say \"no\\\" \n\t\x01");
    CHECK(line ==
          "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"error\","
          "\"message\":\"say \\\"no\\\\\\\" \\n\\t\\u0001\"}\n");
}

TEST_CASE("JSON lines have the group, the worker, and the table and LSN that the message names") {
    const LogOptions options{LogLevel::info, LogFormat::json, "shop", "pg"};
    CHECK(
        format_log_line(options, moment, LogLevel::info, "table 'public.t' is copied as of 0/16B2D50:3, after 1/2") ==
        "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\","
        "\"message\":\"table 'public.t' is copied as of 0/16B2D50:3, after 1/2\",\"group\":\"shop\",\"worker\":\"pg\","
        "\"table\":\"public.t\",\"lsn\":\"0/16B2D50\"}\n");
}

TEST_CASE("what is no LSN and no table is not taken for one") {
    CHECK(lsn_in("after 0/0:0 comes 1/2") == "0/0");
    CHECK(lsn_in("(1A/FFFFFFFF)") == "1A/FFFFFFFF");
    for (const char* message : {"", "/", "a/b", "unable to read '/tmp/0/1'", "0/1x", "123456789/1", "x0/1", "0/1/2",
                                "nats://10.0.0.1:4222/A", "https://h/0/1"})
        CHECK_MESSAGE(lsn_in(message).empty(), message);
    CHECK(table_in("subtable 'x'").empty());
    CHECK(table_in("table 'x").empty());
    CHECK(table_in("no table matches 'x'").empty());
}

namespace {

// What comes out, as "text"s.
struct Passed {
    void say(const std::string& message, std::chrono::milliseconds at) {
        for (const Storm::Line& line : storm.pass(LogLevel::warning, message, Storm::Clock::time_point{} + at))
            lines.push_back(line.text);
    }
    Storm storm;
    std::vector<std::string> lines;
};

}  // namespace

TEST_CASE("of a storm one line a second is written, which says how many it stands for") {
    using namespace std::chrono_literals;
    Passed log;
    for (int i = 0; i < 3000; ++i) log.say("unable to reach port " + std::to_string(i), i * 1ms);
    REQUIRE(log.lines.size() == 12);  // ten before it is a storm, then one for each second
    CHECK(log.lines[9] == "unable to reach port 9");
    CHECK(log.lines[10] == "unable to reach port 1000 (and 990 more like it)");
    CHECK(log.lines[11] == "unable to reach port 2000 (and 999 more like it)");
    // Another message comes through, and the storm's end is not lost.
    log.say("running again", 4500ms);
    REQUIRE(log.lines.size() == 14);
    CHECK(log.lines[12] == "unable to reach port 2999 (and 998 more like it)");
    CHECK(log.lines[13] == "running again");
    CHECK(log.storm.rest().empty());
}

TEST_CASE("few messages, and different ones, are all written at once") {
    using namespace std::chrono_literals;
    Passed log;
    for (int i = 0; i < 100; ++i)
        log.say("copied table '" + std::string(1, static_cast<char>('a' + i % 26)) + "'", i * 10ms);
    CHECK(log.lines.size() == 100);
    for (int i = 0; i < 10; ++i) log.say("x", 5000ms);
    CHECK(log.lines.size() == 110);
    log.say("x", 5000ms);
    CHECK(log.storm.rest().size() == 1);
    CHECK(log.storm.rest().empty());
}
