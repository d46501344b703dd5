// How often to look at something that costs little for one group, and a processor for a hundred: often while it moves,
// rarely once it has been still for a while.
#pragma once

#include <chrono>
#include <optional>

namespace pgsluice {

class QuietRhythm {
   public:
    using Clock = std::chrono::steady_clock;
    using Wait = std::chrono::milliseconds;

    constexpr QuietRhythm(Wait usual, Wait quiet, Wait still_for) noexcept
        : usual_(usual), quiet_(quiet), still_for_(still_for) {}

    // Until the next look; `moved`: this one found something new.
    [[nodiscard]] Wait next(bool moved, Clock::time_point now) noexcept {
        if (moved || !still_since_) still_since_ = now;
        return now - *still_since_ < still_for_ ? usual_ : quiet_;
    }

   private:
    Wait usual_;
    Wait quiet_;
    Wait still_for_;
    std::optional<Clock::time_point> still_since_;
};

}  // namespace pgsluice
