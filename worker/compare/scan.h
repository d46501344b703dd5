// Reads both ends in parallel, page range by page range, and adds up the checksums of all ranges.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "worker/compare/cut.h"
#include "worker/compare/digest.h"
#include "worker/compare/options.h"
#include "worker/compare/progress.h"
#include "worker/compare/table.h"

namespace pgsluice {

// Per range of a table.
struct TableSums {
    std::vector<RangeSum> source;
    std::vector<RangeSum> target;
};

// One per table. What a thread met is thrown here.
std::vector<TableSums> scan_both_ends(std::span<const ComparedTable> tables, BothEnds& ends,
                                      const CompareOptions& options, const OnCompareProgress& on_progress,
                                      const std::stop_token& stop);

}  // namespace pgsluice
