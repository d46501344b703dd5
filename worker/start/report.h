// Says to the group, every two seconds, that a worker without a session starts or tries again, and at the end what
// stopped it: from a thread of its own, so also while a server does not answer. Only where the worker has an entry, and
// never over one that another process reports.
#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/group/registry.h"
#include "worker/options.h"

namespace pgsluice {

class StartReport {
   public:
    enum class End { stopped, failed, starts_again };

    // `options`, whose `trouble` is not null, and `running`, whether a session runs, must outlive it.
    StartReport(const WorkerOptions& options, const std::atomic<bool>& running, Log log);
    // Says how the process ends: failed, unless will_end() was called.
    ~StartReport();
    StartReport(const StartReport&) = delete;
    StartReport& operator=(const StartReport&) = delete;

    void will_end(End end) noexcept { end_ = end; }

   private:
    void run(const std::stop_token& stop);
    void report_on(const std::stop_token& stop);
    void report_end();
    void say(Broker& broker, End now) const;

    const WorkerOptions& options_;
    const std::atomic<bool>& running_;
    const Log log_;
    End end_ = End::failed;  // read by the thread after it was asked to stop
    std::jthread thread_;    // last: it uses all of the above
};

}  // namespace pgsluice
