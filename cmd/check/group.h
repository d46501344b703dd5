// What a replicator would do with what its group has: its slot on the source and its stream.
#pragma once

#include <stop_token>
#include <vector>

#include "cmd/check/checked_source.h"
#include "cmd/check/findings.h"
#include "replicator/options.h"

namespace pgsluice {

std::vector<CheckFinding> look_at_group(const ReplicatorOptions& options, CheckedSource& source,
                                        const std::stop_token& stop);

}  // namespace pgsluice
