// An operator's decisions about commands, as the group's KV bucket keeps them (stream/group/ddl_keys.h).
#pragma once

#include <stop_token>
#include <string>

#include "sinks/ddl/ddl_decisions.h"
#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/late_broker.h"
#include "stream/names.h"

namespace pgsluice {

class KeptDecisions : public DdlDecisions {
   public:
    // Connects when the first command is asked about.
    KeptDecisions(BrokerOptions nats, Names names, std::string worker, Log log, std::stop_token stop);

    std::optional<DdlDecision> find(const DdlPlace& place) override;
    void ask(const PendingDdl& pending) override;
    bool awaits(const DdlPlace& place) override;

   private:
    Names names_;
    std::string worker_;
    LateBroker broker_;
};

}  // namespace pgsluice
