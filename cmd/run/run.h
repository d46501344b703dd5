// `pgsluice run`: replicators and workers of any number of groups in one process.
#pragma once

#include "cmd/cli/settings.h"
#include "cmd/exit_code.h"
#include "cmd/process.h"

namespace pgsluice {

// Until the stop is requested or all parts have ended. At the stop a group's workers drain once its replicator has
// ended, or did not in time. Returns the highest of the parts' exit codes. usage Error when two parts have one name.
ExitCode run_parts(Settings settings, const Process& process);

}  // namespace pgsluice
