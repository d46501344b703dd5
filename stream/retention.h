// Which messages are older than a time to retain: remembers now and then what the last sequence was. Knows no clock;
// the owner says what time it is. After a restart it knows nothing, so that too much is kept for a while, never too
// little.
#pragma once

#include <chrono>
#include <deque>

#include "stream/position.h"

namespace pgsluice {

class Retention {
   public:
    using Time = std::chrono::steady_clock::time_point;

    explicit Retention(std::chrono::milliseconds retain) : retain_(retain) {}

    // Messages up to `last` are stored by now. Call it as often as you like.
    void note(StreamSeq last, Time now);
    // The first sequence that is not known to be older than the time to retain.
    [[nodiscard]] StreamSeq retained_from(Time now);

   private:
    static constexpr int marks_per_period = 60;
    struct Mark {
        StreamSeq last;
        Time at;
    };
    std::chrono::milliseconds retain_;
    std::deque<Mark> marks_;  // oldest first, each at least a 60th of the period after the one before
    StreamSeq retained_from_{1};
};

}  // namespace pgsluice
