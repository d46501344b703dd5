// The command line: its words ("worker postgres") and its flags, in any order.
#pragma once

#include <string>
#include <vector>

#include "cmd/cli/given.h"

namespace pgsluice {

struct CommandLine {
    std::vector<std::string> words;
    bool help = false;
    bool version = false;
    GivenSettings given;
};

// usage Error on an unknown flag or a missing value. `arguments` are without the program's name.
CommandLine read_command_line(std::vector<std::string> arguments);

// The command that these words name; usage Error when there is none.
const CommandInfo& find_command(const std::vector<std::string>& words);

}  // namespace pgsluice
