// The tables of the source that a selection means (table_selection.h).
#pragma once

#include <vector>

#include "replicator/options.h"
#include "sql/catalog.h"
#include "sql/connection.h"
#include "stream/base/log.h"

namespace pgsluice {

// What the publication is made for, each once, ordered by schema and name: ordinary and partitioned tables, without
// partitions whose root is among them unless they are named exactly. Lists them when they are not all named exactly.
//
// A stop Error for a table named exactly that is missing, is no table, or cannot be published; for an excluded
// partition of a table that is replicated; and when there is no table at all. What a pattern or a whole schema brings
// in and cannot be published is left out with a warning, and so is what belongs to an extension.
std::vector<sql::CatalogTable> resolve_tables(sql::Connection& connection, const TableChoice& choice, const Log& log);

// Of these tables, those that are not partitions of others among them at whatever distance: those come with their root.
std::vector<sql::CatalogTable> without_partitions(sql::Connection& connection, std::vector<sql::CatalogTable> tables);

}  // namespace pgsluice
