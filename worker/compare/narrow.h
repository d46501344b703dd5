// From ranges whose checksums differ to the rows that do.
#pragma once

#include <span>
#include <vector>

#include "worker/compare/cut.h"
#include "worker/compare/differences.h"
#include "worker/compare/options.h"
#include "worker/compare/scan.h"
#include "worker/compare/table.h"

namespace pgsluice {

struct NarrowedTable {
    std::vector<Difference> differences;
    std::uint64_t unread_rows = 0;  // in further ranges that differ, of the end that has more
};

// Rows of one end are read one by one only up to so many differences in a table, so that memory stays small.
constexpr std::size_t most_repaired = 100'000;

// Stops after the range that brings the differences to `enough`.
NarrowedTable narrow(const ComparedTable& table, const TableSums& sums, BothEnds& ends, std::size_t enough,
                     std::uint64_t rows_per_second, const std::stop_token& stop);

}  // namespace pgsluice
