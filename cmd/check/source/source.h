// The source, as a replicator needs it: all of it, in the order of a start.
#pragma once

#include <stop_token>
#include <vector>

#include "cmd/check/checked_source.h"
#include "cmd/check/findings.h"
#include "cmd/cli/settings.h"

namespace pgsluice {

// Fills in what it learns.
std::vector<CheckFinding> look_at_source(const Settings& settings, CheckedSource& source, const std::stop_token& stop);

}  // namespace pgsluice
