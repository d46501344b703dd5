// What this process has been waiting for, for ten seconds or more: for the log and for pgsluice status.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "stream/base/log.h"

namespace pgsluice {

// May be called from any thread.
class Waits {
   public:
    using Clock = std::chrono::steady_clock;

    explicit Waits(Log log) : log_(std::move(log)) {}

    // A wait that has lasted so long. Logged when it is new, when the text is another, and now and then. `wait` tells
    // it from others; `whom` is e.g. "the target at 'db:5432/shop'".
    void goes_on(const void* wait, const std::string& whom, const std::string& text, std::chrono::milliseconds waited,
                 Clock::time_point now = Clock::now());
    void is_over(const void* wait, std::chrono::milliseconds waited);
    // "the target at '...' for 34 s: what is known"; the longest. Empty when there is none.
    [[nodiscard]] std::string longest() const;

   private:
    struct Wait {
        std::string whom;
        std::string text;
        std::chrono::milliseconds waited{0};
        std::string logged;
        Clock::time_point logged_at;
    };

    const Log log_;
    mutable std::mutex mutex_;
    std::map<const void*, Wait> waits_;
};

}  // namespace pgsluice
