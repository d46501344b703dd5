// The two ends of a worker that is asked to stop: at the first signal it takes no more than the stream held then, and
// when the time for that is over, whatever still waits for the target, the receiver or NATS gives up.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace pgsluice {

// Lives as long as the worker's sessions. Any thread.
class Drain {
   public:
    // `asked` is the signal; `limit` may be zero.
    Drain(std::stop_token asked, std::chrono::milliseconds limit);
    ~Drain() = default;
    Drain(const Drain&) = delete;
    Drain& operator=(const Drain&) = delete;

    [[nodiscard]] const std::stop_token& asked() const noexcept { return asked_; }
    // For whatever waits. Fires with `asked` while no session reads, for then there is nothing to drain, and `limit`
    // later, at the most, while one does.
    [[nodiscard]] std::stop_token over() const noexcept { return over_.get_token(); }
    [[nodiscard]] std::chrono::milliseconds limit() const noexcept { return limit_; }

    // A session reads while one of these lives.
    class Reading {
       public:
        explicit Reading(Drain& drain) : drain_(drain) { drain_.set_reading(true); }
        ~Reading() { drain_.set_reading(false); }
        Reading(const Reading&) = delete;
        Reading& operator=(const Reading&) = delete;

       private:
        Drain& drain_;
    };

   private:
    void set_reading(bool reading);
    void end_in_time(const std::stop_token& gone);

    const std::stop_token asked_;
    const std::chrono::milliseconds limit_;
    std::stop_source over_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    bool was_asked_ = false;
    bool reading_ = false;
    std::stop_callback<std::function<void()>> note_;
    std::jthread clock_;  // last: it uses the others
};

}  // namespace pgsluice
