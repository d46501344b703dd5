// `pgsluice import`: the rows of a dump into a sink.
#pragma once

#include <stop_token>

#include "cmd/cli/flag.h"
#include "cmd/cli/settings.h"
#include "stream/base/log.h"

namespace pgsluice {

// Interrupted, it throws a stop Error: what was to be written is not all there.
void run_import_command(Command command, Settings settings, const Log& log, std::stop_token stop);

}  // namespace pgsluice
