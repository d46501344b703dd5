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
        if (!begun_) begun_ = now;
        if (copies_away || !all_there_) all_there_ = now;
        return now - *all_there_ < std::chrono::milliseconds(leader_settle_ms);
    }
    void is_over() { *this = {}; }
    // Since it was asked first; nothing when the stream does not end early.
    [[nodiscard]] std::optional<std::chrono::milliseconds> waited(Time now) const {
        if (!begun_) return std::nullopt;
        return std::chrono::duration_cast<std::chrono::milliseconds>(now - *begun_);
    }

   private:
    std::optional<Time> begun_;
    std::optional<Time> all_there_;
};

}  // namespace pgsluice
