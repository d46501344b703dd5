// `pgsluice config`: what is in force of all settings, and from where, without secrets.
#pragma once

#include <string>
#include <string_view>

#include "cmd/cli/config_file.h"
#include "cmd/cli/environment.h"
#include "cmd/cli/given.h"

namespace pgsluice {

// YAML that a configuration file may hold, but for what is hidden: a line for each setting that is given or has a
// default, with its origin as a comment. `path` is the configuration file; empty: there is none.
std::string settings_in_force(const GivenSettings& given, const std::string& path, const Environment& environment);

// The same of the groups that the file has: what is given for each, which wins over the above. Empty without any.
std::string groups_in_force(const std::vector<GivenGroup>& groups);

// The value as it may be shown: "(hidden)" for a secret, and for a URL or header with one in it.
std::string shown_value(const Flag& flag, std::string_view value);

}  // namespace pgsluice
