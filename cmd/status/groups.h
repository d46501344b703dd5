// The groups of a NATS system, and how each is, from NATS alone.
#pragma once

#include <string>
#include <vector>

#include "stream/broker.h"
#include "stream/health/group_health.h"
#include "stream/names.h"
#include "stream/stream_catalog.h"

namespace pgsluice {

// Those that have a stream, by name.
std::vector<std::string> groups_in(const StreamCatalog& catalog);

// Not yet judged. The slot is as the replicator saw it last.
GroupHealth health_in_nats(Broker& broker, const StreamCatalog& catalog, const Names& names,
                           const HealthThresholds& thresholds);

}  // namespace pgsluice
