// `pgsluice replicator --bootstrap accumulate` and `complete`: take the next step of a group's bootstrap, whether its
// replicator runs or not.
#pragma once

#include <stop_token>
#include <string>

#include "cmd/cli/settings.h"
#include "stream/base/log.h"

namespace pgsluice {

void take_bootstrap_step(const Settings& settings, const Log& log, std::stop_token stop);
void print_bootstrap_guide(const std::string& text);

}  // namespace pgsluice
