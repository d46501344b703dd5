// What NATS says of a group's stream, asked over a connection of its own, which no data waits for.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "stream/broker.h"
#include "stream/group/registry.h"
#include "stream/names.h"

namespace pgsluice {

struct StreamObservation {
    std::optional<StreamState> stream;
    std::uint64_t dead_letters = 0;
    Lsn end;                           // safe_flush_lsn of the stream's last message
    std::vector<WorkerEntry> workers;  // registered
};

class StreamObserver {
   public:
    StreamObserver(BrokerOptions nats, Names names);

    // Connects when that is needed. Nothing when NATS does not answer; throws Interrupted.
    std::optional<StreamObservation> look(const std::stop_token& stop);

   private:
    StreamObservation ask();
    Lsn end_of(const StreamState& stream);
    std::vector<WorkerEntry> workers();

    BrokerOptions nats_;
    Names names_;
    std::unique_ptr<Broker> broker_;
    std::optional<WorkerRegistry> registry_;
    std::vector<std::string> workers_;
    std::chrono::steady_clock::time_point next_list_{};
    StreamSeq end_seq_;
    Lsn end_;
};

}  // namespace pgsluice
