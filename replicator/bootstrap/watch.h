// While a group is bootstrapped: gives up its snapshot once the dump has ended or `--bootstrap complete` is run, and
// completes it when the flag file appears or the command succeeds. Threads with connections of their own, beside the
// loop that reads the log; they end by themselves once the group is streaming.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "replicator/options.h"
#include "sql/connection.h"
#include "stream/base/log.h"
#include "stream/group/bootstrap_record.h"

namespace pgsluice {

class BootstrapWatch {
   public:
    // `options`, with what they point to, must outlive it.
    BootstrapWatch(const ReplicatorOptions& options, Log log);
    BootstrapWatch(const BootstrapWatch&) = delete;
    BootstrapWatch& operator=(const BootstrapWatch&) = delete;

   private:
    using Clock = std::chrono::steady_clock;
    // Until the next look; nothing: the group is streaming.
    using Rest = std::optional<std::chrono::milliseconds>;
    using Look = std::function<Rest(Broker&, BootstrapRecord&, const std::stop_token&)>;

    void run(const Look& look, const std::stop_token& stop);
    Rest follow(Broker& broker, BootstrapRecord& record, const std::stop_token& stop);
    void restore(Broker& broker, BootstrapRecord& record);
    void enter(const BootstrapRecord& record);
    void check_held(const BootstrapRecord& record);
    void look_for_dump(Broker& broker, BootstrapRecord& record, const std::stop_token& stop);
    Rest try_command(Broker& broker, BootstrapRecord& record, const std::stop_token& stop);
    void complete(Broker& broker, BootstrapRecord& record, const std::string& why);

    const ReplicatorOptions& options_;
    const Log log_;
    std::optional<BootstrapRecord> seen_;  // the newest; `follow` only
    std::optional<BootstrapState> told_;
    bool told_lost_ = false;
    std::optional<sql::Connection> observer_;
    std::optional<Clock::time_point> dump_seen_;
    std::jthread thread_;   // last: they use all of the above
    std::jthread command_;  // where one is given
};

}  // namespace pgsluice
