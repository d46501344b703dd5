// Scripts that let a shell complete commands, flags and values, from the tables of commands and flags. Each finds the
// command among the words before the cursor, wherever flags are, and offers what that command takes.
#pragma once

#include <string>

namespace pgsluice {

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

}  // namespace pgsluice
