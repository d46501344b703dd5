// What a replicator's process is doing, for what it reports of itself: written by its parts, read by the report.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>

#include "stream/health/group_health.h"
#include "stream/trouble.h"

namespace pgsluice {

// Lives as long as the process, across sessions. Any thread.
class ReplicatorActivity {
   public:
    std::atomic<bool> owns_group{false};  // this process has, or had, the lock of a group with a stream: it may report
    std::atomic<bool> running{false};     // a session reads or copies
    std::atomic<bool> stream_full{false};
    Trouble trouble;

    void set_slot(const SlotHealth& slot) {
        const std::lock_guard lock(mutex_);
        slot_ = slot;
    }
    [[nodiscard]] std::optional<SlotHealth> slot() const {
        const std::lock_guard lock(mutex_);
        return slot_;
    }

   private:
    mutable std::mutex mutex_;
    std::optional<SlotHealth> slot_;
};

}  // namespace pgsluice
