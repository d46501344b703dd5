// How long to wait before the next attempt: doubling, with jitter, up to a limit.
#pragma once

#include <algorithm>
#include <cstdint>

namespace pgsluice {

class JitteredBackoff {
   public:
    JitteredBackoff(int first_ms, int max_ms) : first_ms_(first_ms), max_ms_(max_ms) {}

    // The wait after one more failure: between half and all of first * 2^failures, `random` deciding.
    int next(std::uint32_t random) {
        const int doublings = std::min(failures_++, 30);
        const auto whole = std::min<std::int64_t>(max_ms_, static_cast<std::int64_t>(first_ms_) << doublings);
        return static_cast<int>(whole / 2 + static_cast<std::int64_t>(random) % (whole - whole / 2 + 1));
    }
    void reset() noexcept { failures_ = 0; }
    [[nodiscard]] int failures() const noexcept { return failures_; }

   private:
    int first_ms_;
    int max_ms_;
    int failures_ = 0;
};

}  // namespace pgsluice
