// The foreign keys of some tables, from the source's catalog.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "sql/connection.h"
#include "stream/column_reference.h"

namespace pgsluice {

// Of these tables and those above them, by name. A key that refers to a partitioned table is one to the table, and not
// to each partition.
std::vector<ColumnReference> references_of(sql::Connection& connection, std::span<const Relation> tables);

}  // namespace pgsluice
