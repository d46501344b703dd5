// A group's health from what NATS has of it: from any machine, without the source.
#pragma once

#include <string>

#include "stream/broker.h"
#include "stream/health/group_health.h"
#include "stream/names.h"

namespace pgsluice {

// Asks for what there is now; what does not exist or cannot be read is said in the result. Not yet judged. The slot is
// as the replicator saw it last. A retry Error when NATS does not answer.
GroupHealth gather_health(Broker& broker, const Names& names, const HealthThresholds& thresholds);

}  // namespace pgsluice
