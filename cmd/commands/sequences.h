// `pgsluice sequences`: sets a target's sequences to its tables' rows, after a worker that had no time to do it.
#pragma once

#include <stop_token>

#include "cmd/cli/settings.h"
#include "stream/base/log.h"

namespace pgsluice {

// Of all workers of the group that write to the target, or of settings.worker.worker; they must not run (their locks
// are taken). Prints a line for each sequence it sets.
void run_sequences(Settings settings, const Log& log, std::stop_token stop);

}  // namespace pgsluice
