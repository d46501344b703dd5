// Connections to NATS that several share who reach it in the same way: by the same servers, as the same user. What one
// may do there, each of them may.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <tuple>

#include "stream/nats/connection/wire.h"

namespace pgsluice::nats {

// Calls may come from several threads at a time.
class SharedWires {
   public:
    // One that is open, or a new one; closed with the last who has it. Logs nothing. Throws as Wire does.
    std::shared_ptr<Wire> take(const BrokerOptions& options, const std::stop_token& stop);

   private:
    // Every option that a connection is made with.
    using Way =
        std::tuple<std::string, std::string, std::string, std::string, std::string, std::string, bool, std::string>;
    static Way way_of(const BrokerOptions& options);
    std::shared_ptr<Wire> find(const Way& way);
    // Another may have been faster.
    std::shared_ptr<Wire> keep(const Way& way, const std::shared_ptr<Wire>& made);

    std::mutex mutex_;  // not held while a connection is made or closed
    std::map<Way, std::weak_ptr<Wire>> wires_;
};

}  // namespace pgsluice::nats
