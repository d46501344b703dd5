// One run of the program: the command and its settings, from all sources, checked.
#pragma once

#include <string>
#include <vector>

#include "cmd/cli/environment.h"
#include "cmd/cli/flag.h"
#include "cmd/cli/given.h"
#include "cmd/cli/settings.h"

namespace pgsluice {

struct Invocation {
    const CommandInfo* command = nullptr;  // null: help on the whole program
    bool help = false;
    std::string text;  // of `config`, to be printed
    Settings settings;
    std::vector<std::string> warnings;  // for the log
};

// The settings of a command from what is given for it, checked; usage Error.
Settings settings_of(const CommandInfo& command, GivenSettings given, const Environment& environment);

// usage Error for everything that is wrong. Precedence: flag, PGSLUICE_X, PG_FLO_X, configuration file, default.
// The group's and the worker's names are only copied; set_names() checks them.
Invocation read_invocation(const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace pgsluice
