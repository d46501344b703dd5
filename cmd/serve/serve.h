// `pgsluice serve`: the page for all groups of a NATS system, from NATS alone.
#pragma once

#include <stop_token>

#include "cmd/cli/settings.h"
#include "cmd/exit_code.h"
#include "stream/base/log.h"

namespace pgsluice {

// Until asked to stop. Waits for a NATS server that does not answer; a stop Error when it does not permit what is
// needed.
ExitCode run_serve(Settings settings, const Log& log, std::stop_token stop);

}  // namespace pgsluice
