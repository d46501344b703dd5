#include "replicator/failover/lease_keeper.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <exception>
#include <utility>

#include "replicator/source/session.h"
#include "sql/error.h"
#include "sql/timestamp.h"
#include "stream/base/pause.h"

namespace pgsluice {

namespace {

constexpr std::chrono::milliseconds rhythm(2000);

}  // namespace

std::string to_text(const LockHolder& holder) { return fmt::format("{} since {}", holder.pid, holder.since); }

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
    return name.data();
}

Lease own_lease(const LockHolder& holder) {
    return {to_text(holder), host_name(), ::getpid(), sql::postgres_time_us()};
}

LeaseKeeper::LeaseKeeper(const ReplicatorOptions& options, LockHolder holder, Log log)
    : options_(options),
      holder_(std::move(holder)),
      log_(std::move(log)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

// What does not answer fails the replicator itself, too, and is reported there.
void LeaseKeeper::run(const std::stop_token& stop) {
    do {
        try {
            return keep(stop);
        } catch (const Interrupted&) {
            return;
        } catch (const std::exception& error) {
            log_(LogLevel::debug, fmt::format("unable to renew the group's lease for now: {}", error.what()));
        }
    } while (pause(stop, rhythm / 4));
}

// Ends once another session has the lock: this one has been ended, or will notice.
void LeaseKeeper::keep(const std::stop_token& stop) const {
    sql::Connection source = connect_source(options_.source, stop);
    // A lease that cannot be renewed in time is as good as lost.
    const auto broker = Broker::connect(beside_data(options_.nats, 2000, 500), silent_log, stop);
    do {
        if (find_lock_holder(source, options_.names.slot) != holder_) return;
        renew(*broker);
    } while (pause(stop, rhythm));
}

// Not before there is a stream: a lease would make its bucket, without the stream's replicas.
void LeaseKeeper::renew(Broker& broker) const {
    if (!options_.activity->owns_group && !find_lease(broker, options_.names)) return;
    renew_lease(broker, options_.names, own_lease(holder_));
}

}  // namespace pgsluice
