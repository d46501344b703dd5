#include "worker/drain.h"

#include <utility>

namespace pgsluice {

Drain::Drain(std::stop_token asked, std::chrono::milliseconds limit)
    : asked_(std::move(asked)),
      limit_(limit),
      note_(asked_,
            [this] {
                const std::lock_guard lock(mutex_);
                was_asked_ = true;
                changed_.notify_all();
            }),
      clock_([this](const std::stop_token& gone) { end_in_time(gone); }) {}

void Drain::set_reading(bool reading) {
    const std::lock_guard lock(mutex_);
    reading_ = reading;
    changed_.notify_all();
}

void Drain::end_in_time(const std::stop_token& gone) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, gone, [this] { return was_asked_; })) return;
    changed_.wait_for(lock, gone, limit_, [this] { return !reading_; });
    lock.unlock();
    over_.request_stop();
}

}  // namespace pgsluice
