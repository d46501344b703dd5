// Whether a session of this process is running, and how often one had to start again.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "cmd/supervise.h"
#include "stream/base/latest.h"
#include "stream/metrics/tally.h"

namespace pgsluice {

struct SessionState {
    Gauge running;
    Tally retries;        // sessions that ended with an error
    Tally database_lost;  // those of them whose connection to PostgreSQL was lost, or could not be made
    std::atomic<std::uint64_t> nats_lost{0};  // connections to NATS of which the same is true
    Latest<std::string> error;
};

// The same session, noted in `state`, which must outlive it.
RunSession noted_in(SessionState& state, RunSession session);

}  // namespace pgsluice
