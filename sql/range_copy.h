// How the rows of a snapshot are read: by sessions that hold the tables' locks on one snapshot, in page ranges.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sql/page_ranges.h"

namespace pgsluice::sql {

// Begins the transaction that reads. Only the scan of a ctid range is left to the planner: it might else read the whole
// table for each range.
inline constexpr const char* begin_range_reader =
    "SET enable_seqscan = off; SET enable_indexscan = off; SET enable_bitmapscan = off; "
    "SET max_parallel_workers_per_gather = 0; SET constraint_exclusion = off; BEGIN ISOLATION LEVEL REPEATABLE READ "
    "READ ONLY";

// What a reader locks the tables by. `places`: quoted, with ONLY where that is meant.
std::string lock_statement(std::span<const std::string> places);

// COPY (SELECT columns FROM ONLY schema.table WHERE ctid ...) TO STDOUT; of the whole table, which is none that others
// are partitions of, COPY schema.table (columns) TO STDOUT: nothing is planned, so no code of users runs
// (planned_code.h).
std::string copy_range_statement(std::span<const std::string_view> columns, std::string_view schema,
                                 std::string_view table, const PageRange& range);

}  // namespace pgsluice::sql
