// `pgsluice compare`: whether a postgres worker's target is what the source is.
#pragma once

#include <stop_token>

#include "cmd/cli/settings.h"
#include "stream/base/log.h"
#include "worker/compare/options.h"

namespace pgsluice {

CompareOptions compare_options_of(const Settings& settings);
// Prints the report to stdout. A stop Error when something differs and was not repaired.
void run_compare(Settings settings, const Log& log, std::stop_token stop);

}  // namespace pgsluice
