#include "worker/kept_decisions.h"

#include <utility>

#include "stream/group/ddl_keys.h"

namespace pgsluice {

KeptDecisions::KeptDecisions(BrokerOptions nats, Names names, std::string worker, Log log, std::stop_token stop)
    : names_(std::move(names)), worker_(std::move(worker)), broker_(std::move(nats), std::move(log), std::move(stop)) {}

std::optional<DdlDecision> KeptDecisions::find(const DdlPlace& place) {
    const DdlDecided decided = DdlKeys(broker_.get(), names_, worker_).decided();
    const auto found = decided.find(place);
    return found == decided.end() ? std::nullopt : std::optional(found->second);
}

void KeptDecisions::ask(const PendingDdl& pending) { DdlKeys(broker_.get(), names_, worker_).show(pending); }

bool KeptDecisions::awaits(const DdlPlace& place) {
    const auto pending = DdlKeys(broker_.get(), names_, worker_).pending();
    return pending && pending->place == place;
}

}  // namespace pgsluice
