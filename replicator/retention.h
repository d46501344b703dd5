// How far the stream may be trimmed, from samples of its end taken over time. Pure: the time is passed in.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <vector>

#include "stream/broker.h"
#include "stream/group/registry.h"

namespace pgsluice {

class Retention {
   public:
    using Time = std::chrono::steady_clock::time_point;

    // What all workers applied is kept at least this long, unless space is needed. So is the last message that the
    // slowest of them applied, for as long as it is that: the next one has to continue it (RunId).
    explicit Retention(std::chrono::milliseconds retain) : retain_(retain) {}

    // Messages before this sequence may go now; nothing when none may. `refused`: the stream has no room for a message
    // that waits, so space is needed however much of the limit is left.
    std::optional<StreamSeq> trim_before(const StreamState& stream, const std::vector<WorkerEntry>& workers, Time now,
                                         bool refused = false);

   private:
    struct Sample {
        Time taken;
        StreamSeq end;  // last_seq + 1 then: everything before it was stored by that time
    };
    StreamSeq young_from(Time now);

    std::chrono::milliseconds retain_;
    std::deque<Sample> samples_;  // oldest first
};

}  // namespace pgsluice
