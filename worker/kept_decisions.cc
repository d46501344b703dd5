#include "worker/kept_decisions.h"

#include <utility>

#include "stream/group/ddl_keys.h"

namespace pgsluice {

KeptDecisions::KeptDecisions(BrokerOptions nats, Names names, std::string worker, Log log, std::stop_token stop)
    : nats_(std::move(nats)),
      names_(std::move(names)),
      worker_(std::move(worker)),
      log_(std::move(log)),
      stop_(std::move(stop)) {}

Broker& KeptDecisions::broker() {
    if (broker_ == nullptr) broker_ = Broker::connect(nats_, log_, stop_);
    return *broker_;
}

std::optional<DdlDecision> KeptDecisions::find(const DdlPlace& place) {
    const DdlDecided decided = DdlKeys(broker(), names_, worker_).decided();
    const auto found = decided.find(place);
    return found == decided.end() ? std::nullopt : std::optional(found->second);
}

void KeptDecisions::ask(const PendingDdl& pending) { DdlKeys(broker(), names_, worker_).show(pending); }

}  // namespace pgsluice
