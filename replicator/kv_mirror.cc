#include "replicator/kv_mirror.h"

#include <chrono>
#include <utility>

namespace pgsluice {

KvMirror::KvMirror(std::function<void(const std::string&)> keep)
    : keep_(std::move(keep)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void KvMirror::set(std::string value) {
    {
        const std::lock_guard lock(mutex_);
        if (newest_ == value) return;
        newest_ = std::move(value);
    }
    changed_.notify_one();
}

void KvMirror::run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return newest_ != kept_; })) {
        const std::string value = newest_;
        lock.unlock();
        keep_(value);
        lock.lock();
        kept_ = value;
        changed_.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
    }
}

}  // namespace pgsluice
