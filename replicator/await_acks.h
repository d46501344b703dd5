// Waiting until everything published is acknowledged.
#pragma once

#include <functional>
#include <stop_token>

#include "replicator/replicator_metrics.h"
#include "sql/error.h"
#include "stream/publisher.h"

namespace pgsluice {

// A full stream makes this wait as long as it takes, which is seen in the figures. `meanwhile` is called ten times a
// second and may throw. Throws Interrupted when the stop token fires.
inline void await_acks(Publisher& publisher, ReplicatorMetrics& metrics, const std::stop_token& stop,
                       const std::function<void()>& meanwhile = {}) {
    const Spell::During waiting(metrics.waiting_for_stream);
    while (!publisher.await_acks(100)) {
        if (stop.stop_requested()) throw Interrupted{};
        if (meanwhile) meanwhile();
    }
    metrics.show_in_flight(publisher);
}

}  // namespace pgsluice
