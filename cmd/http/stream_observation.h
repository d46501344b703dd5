// What NATS says of a group's stream, asked over a connection that no data waits for.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/group/registry.h"
#include "stream/health/group_health.h"
#include "stream/names.h"

namespace pgsluice {

struct StreamObservation {
    std::optional<StreamState> stream;
    std::optional<std::uint64_t> dead_letters;  // nothing: this user may not ask
    std::optional<double> oldest_age;           // seconds; nothing: there is no message
    Lsn end;                                    // safe_flush_lsn of the stream's last message
    std::vector<WorkerEntry> workers;           // registered
    std::optional<GroupHealth> health;          // nothing: this user may not ask
};

class StreamObserver {
   public:
    StreamObserver(BrokerOptions nats, Names names);

    // Connects when that is needed, and shows what it sees: nothing when NATS does not answer. Throws Interrupted. Any
    // other failure, of `show` too, is a line in the log, and so is its end: figures for people end nothing.
    void look(const std::stop_token& stop, const Log& log,
              const std::function<void(std::optional<StreamObservation>)>& show);

   private:
    std::optional<StreamObservation> see(const std::stop_token& stop);
    StreamObservation ask();
    void connect(const std::stop_token& stop);
    void ask_now_and_then();
    Lsn end_of(const StreamState& stream);
    std::vector<WorkerEntry> workers();

    BrokerOptions nats_;
    Names names_;
    bool troubled_ = false;
    std::unique_ptr<Broker> broker_;
    std::optional<WorkerRegistry> registry_;
    std::vector<std::string> workers_;
    std::chrono::steady_clock::time_point next_list_{};
    std::chrono::steady_clock::time_point next_rare_{};
    std::optional<std::uint64_t> dead_letters_;
    std::optional<GroupHealth> health_;
    StreamSeq end_seq_;
    Lsn end_;
};

}  // namespace pgsluice
