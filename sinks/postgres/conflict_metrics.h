// Rows of the target that were not as the source thinks, for /metrics: ConflictCounts (sinks/postgres/apply/rows.h) of
// all sessions of a process.
#pragma once

#include "stream/metrics/tally.h"

namespace pgsluice {

struct ConflictMetrics {
    Tally insert_updated;
    Tally insert_ignored;
    Tally update_inserted;
    Tally delete_missing;
    Tally parked;
};

}  // namespace pgsluice
