#include "cmd/terminal/storm.h"

#include <fmt/format.h>

#include <utility>

namespace pgsluice {

namespace {

using namespace std::chrono_literals;

// So many of a kind are no storm: the tables of a group, one after the other.
constexpr int calm = 10;

std::string kind_of(std::string_view message) {
    std::string kind;
    for (const char c : message)
        if (c < '0' || c > '9') kind += c;
    return kind;
}

}  // namespace

Storm::Line Storm::summary(Kind& kind) {
    const std::uint64_t left_out = std::exchange(kind.left_out, 0);
    if (left_out == 1) return {kind.level, std::move(kind.last)};
    return {kind.level, fmt::format("{} (and {} more like it)", kind.last, left_out - 1)};
}

// Kinds whose second is over, with what was left out of them.
void Storm::forget(Clock::time_point now, std::vector<Line>& lines) {
    for (auto at = kinds_.begin(); at != kinds_.end();) {
        if (now - at->second.second < 1s) {
            ++at;
            continue;
        }
        if (at->second.left_out > 0) lines.push_back(summary(at->second));
        at = kinds_.erase(at);
    }
}

std::vector<Storm::Line> Storm::pass(LogLevel level, std::string_view message, Clock::time_point now) {
    std::vector<Line> lines;
    Kind& kind = kinds_.try_emplace(kind_of(message), Kind{level, now, 0, 0, {}}).first->second;
    const bool storms = kind.left_out > 0;
    if (now - kind.second >= 1s) {
        kind.second = now;
        kind.written = storms ? calm : 0;
        if (storms) {  // the one line of the last second
            ++kind.left_out;
            kind.last = message;
            kind.level = level;
            lines.push_back(summary(kind));
            return lines;
        }
    }
    forget(now, lines);
    if (kind.written < calm) {
        ++kind.written;
        lines.push_back({level, std::string(message)});
    } else {
        ++kind.left_out;
        kind.last = message;
        kind.level = level;
    }
    return lines;
}

std::vector<Storm::Line> Storm::rest() {
    std::vector<Line> lines;
    for (auto& [text, kind] : kinds_)
        if (kind.left_out > 0) lines.push_back(summary(kind));
    return lines;
}

}  // namespace pgsluice
