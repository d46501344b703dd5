// Runs sessions until one ends by itself: the one recovery path. A session starts from durable state, so whatever broke
// it, starting another is right.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>

#include "stream/base/backoff.h"
#include "stream/base/log.h"

namespace pgsluice {

struct RetryPolicy {
    int max_attempts = 3;                 // retries until a session has run for the first time; then there is no limit
    std::int64_t initial_wait_ms = 1000;  // doubled each time,
    std::int64_t max_wait_ms = 8000;      // up to this
};

// How long to wait before the next attempt. Pure: knows no clock.
class SessionBackoff {
   public:
    explicit SessionBackoff(const RetryPolicy& policy) noexcept
        : max_attempts_(policy.max_attempts), backoff_(policy.initial_wait_ms, policy.max_wait_ms) {}

    // A session is running: from now on there is no limit on attempts, and waits start small again.
    void running() noexcept;
    // Empty when it is time to give up.
    std::optional<std::chrono::milliseconds> next_wait() noexcept;
    // Failures since the last running().
    [[nodiscard]] int failures() const noexcept { return backoff_.failures(); }
    [[nodiscard]] bool has_run() const noexcept { return has_run_; }

   private:
    int max_attempts_;
    Backoff backoff_;
    bool has_run_ = false;
};

// One session; calls its argument once it is running.
using RunSession = std::function<void(const std::function<void()>& running)>;
// Sleeps this long or until asked to stop.
using Sleep = std::function<void(std::chrono::milliseconds)>;

// Runs the session until it returns, retrying after retry Errors as the policy says. Rethrows the last retry Error when
// the attempts are used up, one that refuses a start (sql/outage.h) while no session has run, and every other exception
// at once; returns when stop is requested, whatever the session threw.
void supervise(const RetryPolicy& policy, const RunSession& session, const Sleep& sleep, const Log& log,
               const std::stop_token& stop);

Sleep interruptible_sleep(std::stop_token stop);

}  // namespace pgsluice
