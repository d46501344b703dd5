// What each command runs. An explicit table; nothing registers itself.
#pragma once

#include "cmd/cli/flag.h"
#include "cmd/cli/settings.h"
#include "cmd/exit_code.h"
#include "cmd/process.h"

namespace pgsluice {

// Runs until done or asked to stop. Throws Error.
using Subcommand = ExitCode (*)(Command command, Settings settings, const Process& process);

// Null when there is nothing to run (version and the help texts, which main prints).
Subcommand subcommand(Command command);

// Checks the group's and the worker's name and derives all others from them; usage Error.
void set_names(Settings& settings);

}  // namespace pgsluice
