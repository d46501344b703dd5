// Reports the replicator's activity to the group's KV bucket every two seconds, or four where there is nothing new,
// from a thread of its own and over a connection beside the data's, so also while a session is broken. From the first
// session on that has the group's lock. A start that is refused before is reported as well, unless another one runs.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "replicator/activity.h"
#include "replicator/options.h"
#include "stream/base/log.h"
#include "stream/health/replicator_entry.h"
#include "stream/metrics/rate.h"

namespace pgsluice {

class HealthReport {
   public:
    // `options`, with its `activity`, must outlive it.
    HealthReport(const ReplicatorOptions& options, Log log);
    // The last report says that the process ends: `failed` with the activity's last trouble.
    ~HealthReport();
    HealthReport(const HealthReport&) = delete;
    HealthReport& operator=(const HealthReport&) = delete;

    void will_end(bool failed, bool finished) noexcept {
        failed_ = failed;
        finished_ = finished;
    }
    // The process ends its attempts for now, and makes others.
    void will_start_again() noexcept { starts_again_ = true; }

   private:
    void run(const std::stop_token& stop);
    void report_on(const std::stop_token& stop);
    void report_end();
    void report_refused();
    void report(Broker& broker, bool ended);
    [[nodiscard]] ReplicatorEntry entry(bool ended);

    const ReplicatorOptions& options_;
    const Log log_;
    const std::int64_t started_us_;
    bool failed_ = false;  // these are read by the thread after it was asked to stop
    bool finished_ = false;
    bool starts_again_ = false;
    std::unique_ptr<Broker> broker_;  // null: nothing was reported yet
    Rate rate_;
    ReplicatorEntry reported_;  // with no time; and when:
    Rate::Clock::time_point reported_at_;
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace pgsluice
