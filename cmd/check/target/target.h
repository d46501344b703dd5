// The target, as a postgres worker needs it.
#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "cmd/check/checked_source.h"
#include "cmd/check/findings.h"
#include "cmd/check/target/delivered_tables.h"
#include "cmd/cli/settings.h"
#include "sinks/postgres/session.h"

namespace pgsluice {

// Opens `session` where that can be.
std::vector<CheckFinding> look_at_target(const Settings& settings, CheckedSource& source,
                                         const DeliveredTables& delivered, std::optional<PostgresSession>& session,
                                         const std::stop_token& stop);

}  // namespace pgsluice
