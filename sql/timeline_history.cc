#include "sql/timeline_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "sql/error.h"
#include "sql/replication.h"

namespace pgsluice::sql {

namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view take_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    const auto word = line.substr(0, line.find_first_of(blanks));
    line.remove_prefix(word.size());
    return word;
}

// "1 <tab> 0/5000148 <tab> no recovery target specified"; nothing for an empty line or a comment.
std::optional<TimelineEnd> parse_line(std::string_view line) {
    std::string_view rest = line;
    const auto number = take_word(rest);
    if (number.empty() || number.starts_with('#')) return std::nullopt;
    TimelineEnd parsed;
    const char* const number_end = number.data() + number.size();
    const auto [end, error] = std::from_chars(number.data(), number_end, parsed.timeline);
    const auto lsn = parse_lsn(take_word(rest));
    if (error != std::errc{} || end != number_end || !lsn)
        throw stop_error(fmt::format("unable to read the source's timeline history: '{}' is not a line of one", line),
                         "Look at the newest *.history file in pg_wal on the source.");
    parsed.end = *lsn;
    return parsed;
}

}  // namespace

TimelineHistory parse_timeline_history(std::string_view text) {
    TimelineHistory history;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (const auto parsed = parse_line(line)) history.push_back(*parsed);
    }
    return history;
}

TimelineHistory read_timeline_history(ReplicationConnection& connection, std::uint32_t timeline) {
    if (timeline <= 1) return {};
    const Result result = connection.connection().exec(fmt::format("TIMELINE_HISTORY {}", timeline),
                                                       fmt::format("read the history of timeline {}", timeline));
    return parse_timeline_history(result.text(0, 1));
}

std::optional<Lsn> end_of_timeline(const TimelineHistory& history, std::uint32_t timeline) {
    const auto found = std::ranges::find(history, timeline, &TimelineEnd::timeline);
    if (found == history.end()) return std::nullopt;
    return found->end;
}

}  // namespace pgsluice::sql
