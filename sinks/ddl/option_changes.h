// Storage parameters of tables and indexes.
#pragma once

#include <string>
#include <vector>

namespace pgsluice {

// What follows ALTER TABLE t: SET (...), RESET (...), or nothing.
std::vector<std::string> option_changes(const std::vector<std::string>& before, const std::vector<std::string>& after);

}  // namespace pgsluice
