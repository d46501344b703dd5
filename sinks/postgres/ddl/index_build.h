// Building one index beside the stream.
#pragma once

#include "sinks/postgres/ddl/noted_indexes.h"
#include "sql/connection.h"
#include "stream/base/log.h"

namespace pgsluice {

// CREATE INDEX CONCURRENTLY as the owner of the table; nothing where the table has a valid index of the name. Not in a
// transaction. After a SqlError no index of the name is left that this or an earlier attempt began.
void build_index(sql::Connection& connection, const NotedIndex& index, const Log& log);

}  // namespace pgsluice
