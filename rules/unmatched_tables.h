// Names in the rules and routing files that stand for no table.
#pragma once

#include <string>
#include <vector>

#include "stream/change.h"

namespace pgsluice {

// A warning for each table of the rules and routing files that is not in `tables`: a misspelt name would mask nothing.
// A partitioned table counts as present when one of its partitions is. `named` as Ruleset::tables() has them: "users"
// or "shop.users".
std::vector<std::string> unmatched_tables(const std::vector<std::string>& named, const std::vector<Relation>& tables);

}  // namespace pgsluice
