// Settings that each are in order, and do not go together.
#pragma once

#include "cmd/cli/flag.h"
#include "cmd/cli/settings.h"

namespace pgsluice {

// usage Error that says which two.
void check_contradictions(const CommandInfo& command, const Settings& settings);
// The same of --share, which also sets what it needs.
void check_share(const CommandInfo& command, Settings& settings);

}  // namespace pgsluice
