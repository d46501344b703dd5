// Whether a delivery brings nothing of what the stream holds. Its heartbeats show that its consumer is well; but in a
// cluster the consumer may be on a server whose copy of the stream has stopped following the others'.
#pragma once

#include <chrono>
#include <optional>

#include "stream/position.h"

namespace pgsluice::nats {

// Pure: time is passed in.
class Stall {
   public:
    using Time = std::chrono::steady_clock::time_point;

    // Far more than a copy that follows needs.
    static constexpr std::chrono::seconds limit{10};

    // `expected`: the next sequence that is to come. `last`: the stream's, as its leader says. True when it has held
    // what did not come for as long as that; then it begins to count again.
    bool look(StreamSeq expected, StreamSeq last, Time now) {
        if (last < expected) since_.reset();
        if (last < expected) return false;
        if (!since_ || at_ != expected) {
            at_ = expected;
            since_ = now;
        }
        if (now - *since_ < limit) return false;
        since_.reset();
        return true;
    }

   private:
    StreamSeq at_;
    std::optional<Time> since_;
};

}  // namespace pgsluice::nats
