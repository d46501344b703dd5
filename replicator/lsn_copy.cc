#include "replicator/lsn_copy.h"

#include <chrono>
#include <utility>

namespace pgsluice {

LsnCopy::LsnCopy(std::function<void(Lsn)> keep)
    : keep_(std::move(keep)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void LsnCopy::set(Lsn lsn) {
    {
        const std::lock_guard lock(mutex_);
        newest_ = lsn;
    }
    changed_.notify_one();
}

void LsnCopy::run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return newest_ != kept_; })) {
        const Lsn lsn = newest_;
        lock.unlock();
        keep_(lsn);
        lock.lock();
        kept_ = lsn;
        changed_.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
    }
}

}  // namespace pgsluice
