// What a replicator's process is doing, for what it reports of itself: written by its parts, read by the report.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "stream/base/latest.h"
#include "stream/health/group_health.h"
#include "stream/trouble.h"

namespace pgsluice {

// An error that comes again and again.
class RepeatedError {
   public:
    // How often it has come in a row, with this time.
    int count(const std::string& text) {
        times_ = text == text_ ? times_ + 1 : 1;
        text_ = text;
        return times_;
    }

   private:
    std::string text_;
    int times_ = 0;
};

// What the housekeeper has said and whose end it has to say, also in another session.
struct HousekeepersTroubles {
    bool unmaintained = false;
    bool full = false;
    std::chrono::steady_clock::time_point full_again;  // when the log says it once more
    std::vector<std::string> unreadable;               // workers whose entries are garbled
};

// Lives as long as the process, across sessions. Any thread, but for `decoding` and `housekeeping`.
struct ReplicatorActivity {
    std::atomic<bool> owns_group{
        false};  // this process has, or had last, the lock of a group with a stream: it may report
    std::atomic<bool> running{false};  // a session reads or copies
    std::atomic<bool> stream_full{false};
    std::atomic<bool> no_spool{false};  // running transactions cannot be kept here
    Trouble trouble;
    Latest<SlotHealth> slot;
    RepeatedError decoding;             // of the source; of the sessions' thread
    HousekeepersTroubles housekeeping;  // of the housekeeper's thread
};

}  // namespace pgsluice
