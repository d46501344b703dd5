// Rows that pass a worker just now, before and after its rules, for people who look at its page (--http-show-rows).
//
// Bounded, whatever passes: a few rows a second and only while someone looks, the last ones, and of each so many bytes.
// Where no one looks a change costs the loop one load.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

#include "stream/change.h"

namespace pgsluice {

enum class ShowRows : std::uint8_t {
    off,
    after,  // what the rules have left, and never what they take away
    both,
};

class ShownRows {
   public:
    using Clock = std::chrono::steady_clock;

    static constexpr std::size_t most_rows = 50;
    static constexpr int most_rows_a_second = 20;
    static constexpr std::size_t most_row_bytes = 8192;  // as JSON, about
    static constexpr std::size_t most_value_bytes = 120;
    static constexpr std::chrono::seconds looks_for{10};  // without looking again

    explicit ShownRows(ShowRows show) : show_(show) {}

    // Whether the next change is to be shown. By the worker's loop, and so is take().
    [[nodiscard]] bool wants(Clock::time_point (*now)() = Clock::now) noexcept {
        return watched_.load(std::memory_order_relaxed) && has_room(now());
    }
    // A change of a row; `after` is null where the rules dropped it.
    void take(const Change& before, const Change* after);
    // An array of what was taken, the newest last; from now on someone looks. From any thread.
    [[nodiscard]] std::string look(Clock::time_point now = Clock::now());
    [[nodiscard]] const char* shows() const noexcept { return show_ == ShowRows::both ? "both" : "after"; }

   private:
    [[nodiscard]] bool has_room(Clock::time_point now) noexcept;

    const ShowRows show_;
    std::atomic<bool> watched_{false};
    std::atomic<Clock::rep> looked_at_{0};
    Clock::time_point second_;  // these two: of the loop
    int taken_in_second_ = 0;
    std::mutex mutex_;
    std::deque<std::string> rows_;
};

}  // namespace pgsluice
