// Which tables have to be compared for those that were chosen: a table of the target is compared as a whole.
#pragma once

#include <span>
#include <vector>

#include "stream/base/log.h"
#include "worker/compare/tables.h"

namespace pgsluice {

// The chosen ones, and those whose rows lie among theirs in one table of the target: without these, their rows there
// would be no table's. Says which of them were not chosen.
std::vector<PublishedTable> chosen_with_others(std::span<const PublishedTable> published, const Ruleset& rules,
                                               const Log& log);

}  // namespace pgsluice
