#include "replicator/kv_mirror.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace pgsluice {

KvMirror::KvMirror(const std::vector<Keep>& keeps) {
    for (const Keep& keep : keeps) values_.push_back({keep, "", "", {}});
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void KvMirror::set(std::size_t index, std::string value) {
    {
        const std::lock_guard lock(mutex_);
        Mirrored& mirrored = values_.at(index);
        if (mirrored.newest == value) return;
        mirrored.newest = std::move(value);
    }
    changed_.notify_one();
}

bool KvMirror::behind() const {
    return std::ranges::any_of(values_, [](const Mirrored& each) { return each.newest != each.kept; });
}

// A value that has not been kept for a second is kept at once, whatever others do: workers check their rules against
// one of them when they start.
KvMirror::Mirrored* KvMirror::due(bool all) {
    const auto now = Clock::now();
    const auto found = std::ranges::find_if(
        values_, [&](const Mirrored& each) { return each.newest != each.kept && (all || each.next <= now); });
    return found == values_.end() ? nullptr : &*found;
}

KvMirror::Clock::time_point KvMirror::next_due() const {
    auto next = Clock::now() + interval;
    for (const Mirrored& each : values_)
        if (each.newest != each.kept) next = std::min(next, each.next);
    return next;
}

void KvMirror::run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return behind(); })) {
        while (Mirrored* each = due(stop.stop_requested())) {
            const std::string value = each->newest;
            lock.unlock();
            each->keep(value);
            lock.lock();
            each->kept = value;
            each->next = Clock::now() + interval;
        }
        changed_.wait_until(lock, stop, next_due(), [this] { return due(false) != nullptr; });
    }
}

}  // namespace pgsluice
