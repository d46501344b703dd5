// Settings from the environment: PGSLUICE_ and a flag's name in upper case, or PG_FLO_ where that is not set.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cmd/cli/given.h"

namespace pgsluice {

using Environment = std::map<std::string, std::string>;

Environment process_environment();

// A variable that is set but empty counts as not set.
GivenSettings read_environment(const Environment& environment);

// One warning for each PGSLUICE_ variable that is not a setting but looks like one. Others may belong to other programs
// (Kubernetes sets PGSLUICE_SERVICE_HOST for a service named pgsluice).
std::vector<std::string> misspelt_variables(const Environment& environment);

}  // namespace pgsluice
