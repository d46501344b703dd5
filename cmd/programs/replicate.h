// `pgsluice replicator`: the process around the replicator's sessions (replicator/replicator.h).
#pragma once

#include "cmd/cli/flag.h"
#include "cmd/cli/settings.h"
#include "cmd/exit_code.h"
#include "cmd/process.h"

namespace pgsluice {

ExitCode replicate(Command command, Settings settings, const Process& process);

}  // namespace pgsluice
