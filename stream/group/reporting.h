// What the reports of a replicator and a worker to their group have in common: each has a thread and a connection of
// its own, and nothing waits for them.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "stream/base/log.h"
#include "stream/broker.h"

namespace pgsluice {

// Throws as Broker::connect() does. Gives up soon: a report must not hold up the end of a process.
std::unique_ptr<Broker> connect_for_reports(const BrokerOptions& nats, std::stop_token stop);

// Makes a report. What prevents it is logged at debug level and no more: a broker that does not answer fails the
// process itself, too, and is reported there.
void try_to_report(const Log& log, const std::function<void()>& report);

}  // namespace pgsluice
