// Partitioned tables of a group that have no partition: no row comes from them, so no copy names them.
#pragma once

#include <string>
#include <vector>

#include "sinks/postgres/target.h"
#include "sql/connection.h"
#include "stream/change.h"

namespace pgsluice {

struct PartitionlessTable {
    Oid oid = 0;
    TableName name;
};

// Of the source's publication of that name; none where there is no such publication.
std::vector<PartitionlessTable> partitionless_tables(sql::Connection& source, const std::string& publication);

}  // namespace pgsluice
