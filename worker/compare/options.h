// What `pgsluice compare` is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "rules/ruleset.h"
#include "sql/connection.h"
#include "stream/names.h"
#include "worker/compare/progress.h"

namespace pgsluice {

struct CompareOptions {
    Names names;         // of the group
    std::string worker;  // whose target it is
    sql::ConnectOptions source;
    sql::ConnectOptions target;
    RulesOptions rules;                 // the worker's
    std::uint64_t rows_per_second = 0;  // at each end; 0: as fast as it goes
    double sample_percent = 0;          // of each table; 0: all rows (sample.h)
    int connections = 2;                // at each end
    std::size_t max_differences = 20;   // rows listed of each table
    bool show_values = false;           // list the values that differ, too
    bool repair = false;                // write the source's rows over those that differ
    bool unmarked = false;              // PostgresSinkOptions::unmarked, for repairs
    bool json = false;                  // the report
    bool whole_group_copied = false;    // wait for copies of tables that are not compared, too
    OnCompareProgress on_progress;      // empty: a log line every few seconds
};

}  // namespace pgsluice
