// What is about all of a target needs one worker for all rows: shares of them stand at places of their own.
#pragma once

#include <string>
#include <vector>

namespace pgsluice {

// A stop Error that begins with "unable to `doing`" where one of the group's `workers` has a share of the rows of
// `worker`.
void require_one_worker(const std::string& doing, const std::string& worker, const std::vector<std::string>& workers);

}  // namespace pgsluice
