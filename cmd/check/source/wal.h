// How long the source keeps WAL for the group's slot.
#pragma once

#include <string>

#include "cmd/check/checked_source.h"
#include "cmd/check/findings.h"

namespace pgsluice {

void look_at_wal_kept(const std::string& slot, CheckedSource& source, Findings& found);

}  // namespace pgsluice
