// Whose rules a file or a variable names that replicator and workers share: the workers'. Applied on both sides they
// would be applied twice, and files of pg_flo's are shared so.
#pragma once

#include <string>
#include <vector>

#include "cmd/cli/given.h"

namespace pgsluice {

// Takes them out of what is given for a replicator, before what is said of it alone is added. A warning for each file.
void leave_rules_to_workers(GivenSettings& given, std::vector<std::string>& warnings);

}  // namespace pgsluice
