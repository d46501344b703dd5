// Lets a few of many parts start at a time. Each then starts in a time of its own: of hundreds at once every one would
// take as long as all of them, and servers would not answer them in time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <stop_token>

namespace pgsluice {

class StartGate {
   public:
    using Clock = std::chrono::steady_clock;

    // One that waits for a server does not keep others waiting: after `patience` it counts no longer.
    StartGate(std::size_t at_once, std::chrono::milliseconds patience) : at_once_(at_once), patience_(patience) {}

    // Waits until the part of this number may start. False when a stop is requested.
    bool enter(std::size_t part, const std::stop_token& stop);
    // It has started, or will not. May be said more than once, and from any thread.
    void leave(std::size_t part);

   private:
    const std::size_t at_once_;
    const std::chrono::milliseconds patience_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::map<std::size_t, Clock::time_point> starting_;  // since when
};

}  // namespace pgsluice
