// pgsluice status: how a group is, for people, for scripts and for monitoring.
#pragma once

#include <stop_token>

#include "cmd/cli/settings.h"
#include "cmd/exit_code.h"
#include "stream/base/log.h"

namespace pgsluice {

// Prints it, once or until asked to stop. The code says how the worst group is.
ExitCode run_status(Settings settings, const Log& log, std::stop_token stop);

}  // namespace pgsluice
