// What one session of a replicator works with, from its start to its end: the options, the source, the broker.
#pragma once

#include <functional>
#include <stop_token>

#include "replicator/housekeeper.h"
#include "replicator/options.h"
#include "sql/connection.h"
#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/publisher.h"

namespace pgsluice {

class SourceRules;

// Everything is owned by the session and outlives whoever is given this. One thread at a time.
struct ReplicatorEnds {
    const ReplicatorOptions& options;
    const Log& log;
    const std::function<void()>& running;  // to be called once data flows
    std::stop_token stop;
    sql::Connection& source;  // ordinary; for the catalog
    Broker& broker;
    Publisher& publisher;  // nothing else publishes to the group's stream
    Housekeeper& housekeeper;
    SourceRules* rules = nullptr;  // null: everything is published as it is
};

}  // namespace pgsluice
