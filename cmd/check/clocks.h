// The clocks of the servers against this machine's: ages and lags are told by them.
#pragma once

#include <optional>
#include <vector>

#include "cmd/check/checked_source.h"
#include "cmd/check/findings.h"
#include "cmd/check/nats/monitoring.h"
#include "sql/connection.h"

namespace pgsluice {

// Null for what was not reached.
std::vector<CheckFinding> look_at_clocks(sql::Connection* source, sql::Connection* target,
                                         const std::optional<MonitoringLook>& nats);

}  // namespace pgsluice
