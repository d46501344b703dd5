// Help texts, from the tables of commands and flags.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cmd/cli/flag.h"

namespace pgsluice {

// `pgsluice --help`.
std::string overview();
// `pgsluice <command> --help`.
std::string command_help(const CommandInfo& command);
// The tables in cmd/README.md, between its two markers.
std::string markdown_tables();

// Flags are shown together where they apply to the same commands, in the order of the table.
struct FlagSection {
    Commands commands;
    std::string title;  // "replicator and worker"
    std::vector<const Flag*> flags;
};
std::vector<FlagSection> flag_sections();

}  // namespace pgsluice
