#include "cmd/terminal/log_writer.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <ctime>
#include <mutex>

#include "cmd/terminal/log_fields.h"
#include "cmd/terminal/storm.h"
#include "stream/base/printable.h"
#include "stream/format/json_string.h"

namespace pgsluice {

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

namespace {

// RFC 3339 with milliseconds, in UTC.
std::string timestamp(std::chrono::system_clock::time_point time) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
    const auto seconds = static_cast<std::time_t>(ms / 1000);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", utc, ms % 1000);
}

void append_field(std::string& line, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    line += fmt::format(",\"{}\":", name);
    append_json_string(line, value, NotUtf8::latin1);
}

}  // namespace

std::string format_log_line(const LogOptions& options, std::chrono::system_clock::time_point time, LogLevel level,
                            std::string_view message) {
    if (options.format == LogFormat::text) {
        const std::string part = options.part.empty() ? "" : fmt::format("[{}] ", options.part);
        return fmt::format("{} {:<7} {}{}\n", timestamp(time), level_name(level), part, printable(message));
    }
    std::string line = fmt::format("{{\"time\":\"{}\",\"level\":\"{}\"", timestamp(time), level_name(level));
    append_field(line, "message", message);
    append_field(line, "group", options.group);
    append_field(line, "worker", options.worker);
    append_field(line, "table", table_in(message));
    append_field(line, "lsn", lsn_in(message));
    return line + "}\n";
}

namespace {

// One for all copies of a Log.
class Writer {
   public:
    Writer(std::shared_ptr<StatusLines> lines, LogOptions options)
        : lines_(std::move(lines)), options_(std::move(options)) {}
    ~Writer() {
        for (const Storm::Line& line : storm_.rest()) write(line.level, line.text);
    }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    void log(LogLevel level, std::string_view message) {
        if (level < (options_.changing_level ? options_.changing_level->load() : options_.level)) return;
        if (level == LogLevel::debug) return write(level, message);
        const std::lock_guard lock(mutex_);
        for (const Storm::Line& line : storm_.pass(level, message, Storm::Clock::now())) write(line.level, line.text);
    }

   private:
    void write(LogLevel level, std::string_view message) {
        lines_->print(format_log_line(options_, std::chrono::system_clock::now(), level, message));
    }

    std::shared_ptr<StatusLines> lines_;
    const LogOptions options_;
    std::mutex mutex_;
    Storm storm_;
};

}  // namespace

Log log_to(std::shared_ptr<StatusLines> lines, const LogOptions& options) {
    return [writer = std::make_shared<Writer>(std::move(lines), options)](LogLevel level, std::string_view message) {
        writer->log(level, message);
    };
}

}  // namespace pgsluice
