#include "replicator/failover/standby.h"

#include <fmt/format.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "replicator/failover/lease_keeper.h"
#include "replicator/replicator_metrics.h"
#include "replicator/source/group_lock.h"
#include "sql/error.h"
#include "sql/timestamp.h"
#include "stream/base/pause.h"
#include "stream/group/lease.h"

namespace pgsluice {

namespace {

constexpr std::chrono::milliseconds try_every(500);
constexpr std::chrono::seconds report_rhythm(2);

class StandBy {
   public:
    using Clock = std::chrono::steady_clock;

    StandBy(const ReplicatorOptions& options, sql::Connection& source, Broker& broker, const Log& log)
        : options_(options), source_(source), broker_(broker), log_(log) {
        options_.activity->owns_group = false;  // another one reports from now on
        options_.metrics->standing_by.set(1);
    }
    StandBy(const StandBy&) = delete;
    StandBy& operator=(const StandBy&) = delete;
    ~StandBy() {
        options_.metrics->standing_by.set(0);
        try {
            if (since_us_ != 0) end_standby_report(broker_, options_.names);
        } catch (...) {  // status shows that it is old
        }
    }

    TakeOver wait(const std::stop_token& stop) {
        while (!try_group_lock(source_, options_.names.slot)) {
            look_at_lease();
            report();
            if (!pause(stop, try_every)) throw Interrupted{};
        }
        return ended_ ? TakeOver::ended : TakeOver::free;
    }

   private:
    void look_at_lease() {
        const auto holder = find_lock_holder(source_, options_.names.slot);
        const auto kept = holder ? find_lease(broker_, options_.names) : std::nullopt;
        has_lease_ = kept.has_value();
        const std::string whose = holder ? to_text(*holder) : "";
        if (std::exchange(watched_, whose) != whose) watch_ = {};
        if (!kept || kept->lease.holder != whose) return;
        if (!watch_.expired(kept->revision, Clock::now())) return;
        watch_ = {};
        if (claim_lease(broker_, options_.names, *kept, own_lease(*holder))) end(*holder, kept->lease);
    }

    void end(const LockHolder& holder, const Lease& lease) {
        const std::string whose = fmt::format("the replicator on '{}' (process {})", lease.host, lease.pid);
        log_(LogLevel::warning,
             fmt::format("{} has not renewed its lease for {} s, so it is cut off from the source or from NATS: ending "
                         "its server process {} on the source, to take over",
                         whose, LeaseWatch::expiry.count(), holder.pid));
        if (end_lock_holder(source_, options_.names.slot, holder)) {
            ended_ = true;
            return;
        }
        log_(LogLevel::warning,
             fmt::format("unable to take over from {}: server process {} has another role or application_name. "
                         "Start all replicators of the group with the same role",
                         whose, holder.pid));
    }

    // Not before there is a lease: it would make the bucket, without the stream's replicas.
    void report() {
        const auto now = Clock::now();
        if (since_us_ != 0 && now - reported_at_ < report_rhythm) return;
        if (!has_lease_) return;
        const std::int64_t now_us = sql::postgres_time_us();
        if (since_us_ == 0) since_us_ = now_us;
        report_standby(broker_, options_.names, {host_name(), ::getpid(), since_us_, now_us});
        reported_at_ = now;
    }

    const ReplicatorOptions& options_;
    sql::Connection& source_;
    Broker& broker_;
    const Log& log_;
    LeaseWatch watch_;
    std::string watched_;     // whose lease
    bool has_lease_ = false;  // at the last look
    bool ended_ = false;
    std::int64_t since_us_ = 0;  // 0: it has not reported
    Clock::time_point reported_at_{};
};

}  // namespace

bool LeaseWatch::expired(std::uint64_t revision, Time now) {
    if (seen_.insert(revision).second) since_ = now;
    if (seen_.size() > most) seen_ = {revision};
    return now - since_ >= expiry;
}

TakeOver stand_by(const ReplicatorOptions& options, sql::Connection& source, Broker& broker, const Log& log,
                  const std::function<void()>& running, const std::stop_token& stop) {
    const std::string& slot = options.names.slot;
    if (try_group_lock(source, slot)) return TakeOver::free;
    const auto holder = find_lock_holder(source, slot);
    if (holder && is_own_leftover(slot, *holder)) return TakeOver::free;  // GroupLock ends it
    log(LogLevel::info, fmt::format("another replicator of the group is running{}: standing by",
                                    holder ? fmt::format(" (server process {})", holder->pid) : ""));
    StandBy standby(options, source, broker, log);
    running();
    const TakeOver found = standby.wait(stop);
    log(LogLevel::info, found == TakeOver::free ? "the other replicator has ended: taking over" : "taking over");
    return found;
}

}  // namespace pgsluice
