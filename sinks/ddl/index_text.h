// pg_get_indexdef() and pg_get_statisticsobjdef() for a table of another name.
#pragma once

#include <string>

#include "stream/definition/index_definition.h"

namespace pgsluice {

// CREATE INDEX for the index's and the table's names as the struct has them. With `only`, a partitioned table's
// partitions get none by it.
std::string create_index_text(const IndexDefinition& index, bool only);
std::string create_statistics_text(const StatisticsDefinition& statistics);

}  // namespace pgsluice
