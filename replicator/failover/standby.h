// A replicator that waits until the group has none (--standby).
//
// The group's lock on the source says whether one is running. It is free as soon as that one ends, however it ends. One
// that was cut off keeps the lock until the source notices, which may take hours: then its lease tells. A lease that
// was not renewed while we could read it all the time is claimed, which proves that NATS works for us, and the server
// process that holds the lock is ended. What the other one may still publish is refused: each message names the one
// before it (FORMAT.md).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <stop_token>

#include "replicator/options.h"
#include "sql/connection.h"
#include "stream/base/log.h"
#include "stream/broker.h"

namespace pgsluice {

// Whether a lease is renewed. Pure: time is passed in.
class LeaseWatch {
   public:
    using Time = std::chrono::steady_clock::time_point;

    // Four times as long as the time between renewals, and half of what a takeover may take.
    static constexpr std::chrono::seconds expiry{8};

    // What was read now. True when no new revision has been seen for as long as that. One that was seen before is none:
    // in a cluster each server answers, and one that lags answers with an older one.
    bool expired(std::uint64_t revision, Time now);

   private:
    static constexpr std::size_t most = 100;
    std::set<std::uint64_t> seen_;
    Time since_{};
};

enum class TakeOver {
    free,   // no replicator was running, or it has ended
    ended,  // one was cut off
};

// Returns when `source` holds the group's lock. `running` is called once there is a replicator to wait for. Throws a
// retry Error when the source or NATS does not answer.
TakeOver stand_by(const ReplicatorOptions& options, sql::Connection& source, Broker& broker, const Log& log,
                  const std::function<void()>& running, const std::stop_token& stop);

}  // namespace pgsluice
