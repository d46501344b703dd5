// Whether the source has room for what a run takes: slots, walsenders, connections, locks.
#pragma once

#include "cmd/check/checked_source.h"
#include "cmd/check/findings.h"
#include "replicator/options.h"

namespace pgsluice {

void look_at_room(const ReplicatorOptions& options, CheckedSource& source, Findings& found);
// `tables`: how many a copy locks, each partition counted.
void look_at_locks(const ReplicatorOptions& options, CheckedSource& source, std::size_t tables, Findings& found);

}  // namespace pgsluice
