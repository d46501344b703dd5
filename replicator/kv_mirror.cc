#include "replicator/kv_mirror.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace pgsluice {

KvMirror::KvMirror(const std::vector<Keep>& keeps) {
    for (const Keep& keep : keeps) values_.push_back({keep, "", ""});
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

void KvMirror::run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return behind(); })) {
        for (Mirrored& each : values_) {
            if (each.newest == each.kept) continue;
            const std::string value = each.newest;
            lock.unlock();
            each.keep(value);
            lock.lock();
            each.kept = value;
        }
        changed_.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
    }
}

}  // namespace pgsluice
