#include "cmd/terminal/log_writer.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <ctime>

#include "stream/format/json_string.h"

namespace pgsluice {

namespace {

const char* level_name(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return "debug";
        case LogLevel::info:
            return "info";
        case LogLevel::warning:
            return "warning";
        case LogLevel::error:
            return "error";
    }
    return "error";
}

// RFC 3339 with milliseconds, in UTC.
std::string timestamp(std::chrono::system_clock::time_point time) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
    const auto seconds = static_cast<std::time_t>(ms / 1000);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", utc, ms % 1000);
}

// For a terminal: control characters as \n, \t or \u00xx.
std::string escaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace

std::string format_log_line(LogFormat format, std::chrono::system_clock::time_point time, LogLevel level,
                            std::string_view message) {
    if (format == LogFormat::json) {
        std::string json;
        append_json_string(json, message, NotUtf8::latin1);
        return fmt::format("{{\"time\":\"{}\",\"level\":\"{}\",\"message\":{}}}\n", timestamp(time), level_name(level),
                           json);
    }
    return fmt::format("{} {:<7} {}\n", timestamp(time), level_name(level), escaped(message));
}

Log log_to(std::shared_ptr<StatusLines> lines, const LogOptions& options) {
    return [options, lines = std::move(lines)](LogLevel level, std::string_view message) {
        if (level < options.level) return;
        lines->print(format_log_line(options.format, std::chrono::system_clock::now(), level, message));
    };
}

}  // namespace pgsluice
