// How long to wait before the next attempt: doubling, up to a limit. Pure: knows no clock.
#pragma once

#include <cstdint>

namespace pgsluice {

// The wait after `failures` failures before this one: first * 2^failures, at most max.
constexpr std::int64_t doubled_wait_ms(std::int64_t first_ms, std::int64_t max_ms, int failures) noexcept {
    if (failures >= 62 || first_ms > max_ms >> failures) return max_ms;
    return first_ms << failures;
}

// Between half and all of a wait, `random` deciding: so that those who failed together do not return together.
constexpr std::int64_t jittered_ms(std::int64_t wait_ms, std::uint32_t random) noexcept {
    return wait_ms / 2 + static_cast<std::int64_t>(random) % (wait_ms - wait_ms / 2 + 1);
}

class Backoff {
   public:
    Backoff(std::int64_t first_ms, std::int64_t max_ms) noexcept : first_ms_(first_ms), max_ms_(max_ms) {}

    // The wait after one more failure.
    std::int64_t next_ms() noexcept { return doubled_wait_ms(first_ms_, max_ms_, failures_++); }
    void reset() noexcept { failures_ = 0; }
    // Since the last reset().
    [[nodiscard]] int failures() const noexcept { return failures_; }

   private:
    std::int64_t first_ms_;
    std::int64_t max_ms_;
    int failures_ = 0;
};

}  // namespace pgsluice
