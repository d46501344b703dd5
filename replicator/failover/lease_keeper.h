// Renews the group's lease (stream/group/lease.h) every two seconds, from a thread of its own and beside the data, for
// as long as this process holds the group's lock and reaches both the source and NATS.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "replicator/options.h"
#include "replicator/source/group_lock.h"
#include "stream/base/log.h"
#include "stream/group/lease.h"

namespace pgsluice {

// As a lease names them.
std::string to_text(const LockHolder& holder);
// Of this process, for the lock's holder.
Lease own_lease(const LockHolder& holder);
std::string host_name();

class LeaseKeeper {
   public:
    // `options` must outlive it.
    LeaseKeeper(const ReplicatorOptions& options, LockHolder holder, Log log);

   private:
    void run(const std::stop_token& stop);
    void keep(const std::stop_token& stop) const;
    void renew(Broker& broker) const;

    const ReplicatorOptions& options_;
    const LockHolder holder_;
    const Log log_;
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace pgsluice
