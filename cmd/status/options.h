// What `pgsluice status` is told.
#pragma once

#include "stream/health/group_health.h"

namespace pgsluice {

struct StatusOptions {
    bool json = false;
    bool raw = false;        // the keys as they are
    bool watch = false;      // again and again
    bool all = false;        // every group
    int interval_ms = 2000;  // of --watch
    HealthThresholds thresholds;
};

}  // namespace pgsluice
