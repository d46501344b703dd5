// `pgsluice ddl`: shows the commands that postgres workers wait before or stopped at, and decides about one.
#pragma once

#include <stop_token>

#include "cmd/cli/settings.h"
#include "stream/base/log.h"

namespace pgsluice {

void run_ddl_list(Settings settings, const Log& log, std::stop_token stop);
// The worker applies the command, or leaves it out, when it is started again. Without --worker-name there must be one
// worker that waits.
void run_ddl_apply(Settings settings, const Log& log, std::stop_token stop);
void run_ddl_skip(Settings settings, const Log& log, std::stop_token stop);

}  // namespace pgsluice
