// Where JetStream keeps the stream: what may be stored, and when it is on disk.
#pragma once

#include "cmd/check/findings.h"
#include "cmd/check/nats/nats.h"
#include "cmd/cli/settings.h"
#include "stream/broker_probe.h"

namespace pgsluice {

void look_at_syncing(const Settings& settings, const CheckedNats& nats, Findings& found);
// `exists`: the group's stream.
void look_at_store(const Settings& settings, const BrokerAccount& account, const CheckedNats& nats, bool exists,
                   Findings& found);

}  // namespace pgsluice
