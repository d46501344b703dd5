// Keeps a storm of messages of one kind out of the log: of what repeats, one line a second. Pure: the time is passed
// in.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "stream/base/log.h"

namespace pgsluice {

class Storm {
   public:
    using Clock = std::chrono::steady_clock;

    struct Line {
        LogLevel level;
        std::string text;
    };

    // What is to be written now that this message has come: nothing, or it, and before it what was left out of other
    // kinds and is over.
    std::vector<Line> pass(LogLevel level, std::string_view message, Clock::time_point now);
    // What was left out and not said yet.
    std::vector<Line> rest();

   private:
    // Messages that differ in their numbers alone.
    struct Kind {
        LogLevel level = LogLevel::info;
        Clock::time_point second;  // when its current second began
        int written = 0;           // in it
        std::uint64_t left_out = 0;
        std::string last;  // of those left out
    };
    static Line summary(Kind& kind);
    void forget(Clock::time_point now, std::vector<Line>& lines);

    std::map<std::string, Kind> kinds_;
};

}  // namespace pgsluice
