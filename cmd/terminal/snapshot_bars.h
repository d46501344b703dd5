// The progress of a copy as text bars.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "cmd/terminal/status_lines.h"
#include "replicator/snapshot/progress.h"

namespace pgsluice {

// A line for each table that is being copied, then one for all of them; none is wider than `columns`.
//
//   public.users        [##########----------]  51 %   120000 rows    13.1 MB
//   3 of 12 tables      [####----------------]  22 %   340000 rows    41.0 MB   38.2 MB/s   1:42 left
std::vector<std::string> snapshot_bars(const SnapshotProgress& progress, std::size_t columns);

// Draws them until the copy has ended.
OnSnapshotProgress draw_copy(std::shared_ptr<StatusLines> lines);

}  // namespace pgsluice
