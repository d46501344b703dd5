// Whether a replicated stream that ends before what was read of it has lost that: a new leader may not have applied
// everything yet, or have to wait for the server that has the rest (seen with nats-server 2.9: for minutes).
#pragma once

#include <chrono>
#include <optional>

#include "stream/broker.h"

namespace pgsluice {

// Pure: time is passed in.
class EarlyEnd {
   public:
    using Time = std::chrono::steady_clock::time_point;

    // To be asked again and again. False once all servers with a copy have been there for leader_settle_ms.
    bool may_pass(int replicas, bool copies_away, Time now) {
        if (replicas <= 1) return false;
        if (copies_away || !since_) since_ = now;
        return now - *since_ < std::chrono::milliseconds(leader_settle_ms);
    }
    void is_over() { since_.reset(); }

   private:
    std::optional<Time> since_;
};

}  // namespace pgsluice
