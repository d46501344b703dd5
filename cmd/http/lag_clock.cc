#include "cmd/http/lag_clock.h"

#include <algorithm>

namespace pgsluice {

namespace {

constexpr std::size_t most_seen = 4096;

}  // namespace

void LagClock::look(std::int64_t end, std::int64_t at, std::int64_t now_us) {
    if (!end_) as_of_us_ = now_us;
    if (end_ && end < *end_) ahead_.clear();  // another stream, or a source that was set back
    end_ = end;
    if (!ahead_.empty() && ahead_.back().end == end)
        ahead_.back().time_us = now_us;
    else
        ahead_.push_back({end, now_us});
    for (; !ahead_.empty() && ahead_.front().end <= at; ahead_.pop_front()) as_of_us_ = ahead_.front().time_us;
    if (ahead_.size() > most_seen) thin_out();
}

// The longer the lag, the less exact.
void LagClock::thin_out() {
    std::deque<Seen> kept;
    for (std::size_t i = 0; i < ahead_.size(); i += 2) kept.push_back(ahead_[i]);
    ahead_.swap(kept);
}

std::optional<double> LagClock::seconds(std::int64_t at, std::int64_t commit_time_us, std::int64_t now_us) const {
    if (!end_) return std::nullopt;
    if (at >= *end_) return 0;
    const std::int64_t since = std::max(as_of_us_, commit_time_us);
    return static_cast<double>(std::max<std::int64_t>(0, now_us - since)) / 1e6;
}

std::optional<std::int64_t> LagClock::distance(std::int64_t at) const {
    if (!end_) return std::nullopt;
    return std::max<std::int64_t>(0, *end_ - at);
}

}  // namespace pgsluice
