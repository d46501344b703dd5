#include "replicator/replicator_metrics.h"

#include "replicator/options.h"

namespace pgsluice {

std::shared_ptr<ReplicatorMetrics> new_replicator_metrics() { return std::make_shared<ReplicatorMetrics>(); }

}  // namespace pgsluice
