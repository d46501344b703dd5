// `pgsluice check`: looks at everything that a replicator and a postgres worker with these settings need, and makes and
// changes nothing. All that it finds is printed in one run.
#pragma once

#include <stop_token>

#include "cmd/cli/settings.h"
#include "cmd/exit_code.h"
#include "stream/base/log.h"

namespace pgsluice {

ExitCode run_check(const Settings& settings, const Log& log, const std::stop_token& stop);

}  // namespace pgsluice
