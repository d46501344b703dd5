// How far the data is at one of its stages: received, published, applied, durable.
#pragma once

#include "stream/metrics/tally.h"

namespace pgsluice {

struct Stage {
    Gauge at;              // an LSN (the replicator's), or the sequence of the first message that has not passed
    Gauge commit_time_us;  // of the last transaction that has passed, by the source's clock since 2000; 0: none yet
};

}  // namespace pgsluice
