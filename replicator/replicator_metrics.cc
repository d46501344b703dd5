#include "replicator/replicator_metrics.h"

#include "replicator/options.h"

namespace pgsluice {

std::shared_ptr<ReplicatorMetrics> new_replicator_metrics() { return std::make_shared<ReplicatorMetrics>(); }

void ReplicatorMetrics::show_in_flight(Publisher& publisher) {
    in_flight.set(static_cast<std::int64_t>(publisher.in_flight()));
    in_flight_bytes.set(static_cast<std::int64_t>(publisher.in_flight_bytes()));
}

}  // namespace pgsluice
