#include "cmd/run/start_gate.h"

#include <algorithm>

namespace pgsluice {

bool StartGate::enter(std::size_t part, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (starting_.size() >= at_once_ && !stop.stop_requested()) {
        const auto oldest = std::ranges::min_element(starting_, {}, [](const auto& each) { return each.second; });
        const auto until = oldest->second + patience_;
        if (Clock::now() >= until)
            starting_.erase(oldest);
        else
            changed_.wait_until(lock, stop, until, [this] { return starting_.size() < at_once_; });
    }
    starting_[part] = Clock::now();
    return !stop.stop_requested();
}

void StartGate::leave(std::size_t part) {
    const std::lock_guard lock(mutex_);
    starting_.erase(part);
    changed_.notify_all();
}

}  // namespace pgsluice
