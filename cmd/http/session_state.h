// Whether a session of this process is running, and how often one had to start again.
#pragma once

#include <functional>
#include <string>

#include "cmd/supervise.h"
#include "stream/latest.h"
#include "stream/metrics/tally.h"

namespace pgsluice {

struct SessionState {
    Gauge running;
    Tally retries;  // sessions that ended with an error
    Latest<std::string> error;
};

// The same session, noted in `state`, which must outlive it.
RunSession noted_in(SessionState& state, RunSession session);

}  // namespace pgsluice
