// `pgsluice worker`: the process around the sessions of a worker (worker/worker.h) and their sink.
#pragma once

#include "cmd/cli/flag.h"
#include "cmd/cli/settings.h"
#include "cmd/exit_code.h"
#include "cmd/process.h"

namespace pgsluice {

ExitCode work(Command command, Settings settings, const Process& process);

}  // namespace pgsluice
