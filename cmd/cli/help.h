// Help texts, from the tables of commands and flags.
#pragma once

#include <string>

#include "cmd/cli/flag.h"

namespace pgsluice {

// `pgsluice --help`.
std::string overview();
// `pgsluice <command> --help`.
std::string command_help(const CommandInfo& command);
// The tables in cmd/README.md, between its two markers.
std::string markdown_tables();

}  // namespace pgsluice
