// Log lines: one per message, whatever the message holds.
#include "cmd/terminal/log_writer.h"

#include <doctest/doctest.h>

using namespace pgsluice;

namespace {
const auto moment = std::chrono::system_clock::time_point(std::chrono::milliseconds(1767323045678));
}

TEST_CASE("text lines carry a UTC time stamp and the level") {
    CHECK(format_log_line(LogFormat::text, moment, LogLevel::info, "copied 'users'") ==
          "2026-01-02T03:04:05.678Z info    copied 'users'\n");
    CHECK(format_log_line(LogFormat::text, moment, LogLevel::warning, "a\nb\x1b[0m") ==
          "2026-01-02T03:04:05.678Z warning a\\nb\\u001b[0m\n");
}

TEST_CASE("JSON lines are JSON") {
    const std::string line = format_log_line(LogFormat::json, moment, LogLevel::error, "say \"no\\\" \n\t\x01");
    CHECK(line ==
          "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"error\","
          "\"message\":\"say \\\"no\\\\\\\" \\n\\t\\u0001\"}\n");
}
