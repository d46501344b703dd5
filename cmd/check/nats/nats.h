// NATS, as the replicator and the worker need it.
#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "cmd/check/findings.h"
#include "cmd/check/nats/monitoring.h"
#include "cmd/cli/settings.h"

namespace pgsluice {

struct CheckedNats {
    bool readable = false;  // JetStream is there, and the user may read what is the group's
    std::optional<MonitoringLook> monitoring;
};

std::vector<CheckFinding> look_at_nats(const Settings& settings, CheckedNats& nats, const std::stop_token& stop);

}  // namespace pgsluice
