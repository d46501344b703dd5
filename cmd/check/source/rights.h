// Whether the replicator's role may publish the tables and read them.
#pragma once

#include "cmd/check/checked_source.h"
#include "cmd/check/findings.h"
#include "replicator/options.h"

namespace pgsluice {

// How many tables have rows of their own: each partition, each table that inherits.
std::size_t look_at_rights(const ReplicatorOptions& options, CheckedSource& source, Findings& found);

}  // namespace pgsluice
