// The tables that a replicator would choose, and whether the source refuses UPDATE and DELETE on them.
#pragma once

#include "cmd/check/checked_source.h"
#include "cmd/check/findings.h"
#include "replicator/options.h"

namespace pgsluice {

void look_at_tables(const ReplicatorOptions& options, CheckedSource& source, Findings& found);

}  // namespace pgsluice
