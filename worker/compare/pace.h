// Keeps reading at or below a number of rows a second. Any thread may call.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <stop_token>

#include "sql/error.h"
#include "stream/base/pause.h"

namespace pgsluice {

class Pace {
   public:
    explicit Pace(std::uint64_t rows_per_second) : rows_per_second_(rows_per_second) {}

    // Waits as long as reading so many rows should have taken.
    void took(std::uint64_t rows, const std::stop_token& stop) {
        if (rows_per_second_ == 0 || rows == 0) return;
        const auto until = reserve(rows);
        const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
        if (wait.count() > 0 && !pause(stop, wait)) throw Interrupted{};
    }

   private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point reserve(std::uint64_t rows) {
        const std::lock_guard lock(mutex_);
        const std::chrono::duration<double> cost(static_cast<double>(rows) / static_cast<double>(rows_per_second_));
        free_at_ = std::max(free_at_, Clock::now()) + std::chrono::duration_cast<Clock::duration>(cost);
        return free_at_;
    }

    const std::uint64_t rows_per_second_;
    std::mutex mutex_;
    Clock::time_point free_at_{};
};

}  // namespace pgsluice
