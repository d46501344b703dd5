// What a replicator's process is doing, for what it reports of itself: written by its parts, read by the report.
#pragma once

#include <atomic>

#include "stream/health/group_health.h"
#include "stream/latest.h"
#include "stream/trouble.h"

namespace pgsluice {

// Lives as long as the process, across sessions. Any thread.
struct ReplicatorActivity {
    std::atomic<bool> owns_group{
        false};  // this process has, or had last, the lock of a group with a stream: it may report
    std::atomic<bool> running{false};  // a session reads or copies
    std::atomic<bool> stream_full{false};
    Trouble trouble;
    Latest<SlotHealth> slot;
};

}  // namespace pgsluice
