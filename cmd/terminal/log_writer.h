// The log: one line per message on stderr, whatever thread it comes from. stdout is for data.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "cmd/terminal/status_lines.h"
#include "stream/base/log.h"

namespace pgsluice {

enum class LogFormat { text, json };

// "warning".
const char* level_name(LogLevel level);

struct LogOptions {
    LogLevel level = LogLevel::info;  // and what is more severe
    LogFormat format = LogFormat::text;
    std::string group;      // of each line of JSON; empty: it has no such field
    std::string worker;     // the same
    std::string part = {};  // before each message, in brackets; empty: there is one only
    // Instead of `level`, and may change at any time; null: it does not.
    std::shared_ptr<std::atomic<LogLevel>> changing_level = nullptr;
};

// One line with its newline. Text: "2026-01-02T03:04:05.678Z info    message"; JSON: an object of time, level,
// message, group, worker, and of the table and the LSN that the message names first (log_fields.h). Line breaks and
// other control characters of the message are escaped, so that it stays one line.
std::string format_log_line(const LogOptions& options, std::chrono::system_clock::time_point time, LogLevel level,
                            std::string_view message);

// Writes each line with one write(2); lines of several threads do not mix, nor with what is drawn below them. Of a
// storm of messages of one kind, above the level debug, one a second is written (storm.h).
Log log_to(std::shared_ptr<StatusLines> lines, const LogOptions& options);

}  // namespace pgsluice
