// Watches the group's slot for as long as the replicator runs, also while it waits for a broker that is down: that is
// when WAL piles up for the slot.
#pragma once

#include <stop_token>
#include <thread>

#include "replicator/options.h"
#include "stream/base/log.h"

namespace pgsluice {

class SlotMonitor {
   public:
    // Looks every slot_interval_ms over a connection of its own, from a thread of its own, until it is destroyed.
    // `options` must outlive it.
    SlotMonitor(const ReplicatorOptions& options, Log log);

   private:
    void run(const std::stop_token& stop);
    void look_on(const std::stop_token& stop);

    const ReplicatorOptions& options_;
    const Log log_;
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace pgsluice
