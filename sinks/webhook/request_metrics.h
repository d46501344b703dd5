// What a webhook's receiver answers, and how long it takes; for /metrics. Of all sessions of a process, one at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "stream/metrics/tally.h"

namespace pgsluice {

struct RequestMetrics {
    std::array<Tally, 6> answers;  // by the status' first digit; 0: there was no answer
    Durations time;
    bool trouble_said = false;  // the log has its beginning and not its end; the sink's, whichever it is

    void count(long status, double seconds) noexcept {
        answers[static_cast<std::size_t>(std::clamp(status / 100, 0L, 5L))].add();
        time.add(seconds);
    }
};

}  // namespace pgsluice
