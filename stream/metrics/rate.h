// How many a second, over the last few seconds.
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

namespace pgsluice {

class Rate {
   public:
    using Clock = std::chrono::steady_clock;

    // `total` never falls.
    void add(std::uint64_t total, Clock::time_point now) {
        samples_.emplace_back(now, total);
        while (samples_.size() > 2 && now - samples_[1].first >= window) samples_.pop_front();
    }
    // Nothing until there are two samples.
    [[nodiscard]] std::optional<std::uint64_t> per_second() const {
        if (samples_.size() < 2) return std::nullopt;
        const std::chrono::duration<double> time = samples_.back().first - samples_.front().first;
        if (time.count() <= 0) return std::nullopt;
        const auto grown = static_cast<double>(samples_.back().second - samples_.front().second);
        return static_cast<std::uint64_t>(std::llround(grown / time.count()));
    }

   private:
    static constexpr std::chrono::seconds window{5};
    std::deque<std::pair<Clock::time_point, std::uint64_t>> samples_;
};

}  // namespace pgsluice
