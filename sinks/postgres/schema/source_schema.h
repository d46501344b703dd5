// What tables of the source are and need, read from its catalog: no pg_dump, no superuser, nothing is made there.
#pragma once

#include <string>
#include <vector>

#include "sinks/postgres/schema/dependencies.h"
#include "sinks/postgres/schema/schema_entry.h"
#include "sinks/postgres/target.h"
#include "sql/connection.h"
#include "stream/definition/definition_message.h"

namespace pgsluice {

struct SourceSchema {
    DefinitionMessage
        objects;  // `after` only: tables with all partitions and parents, what is on them and what they need
    std::vector<SchemaEntry> functions;  // and collations
    std::vector<SchemaEntry> casts;
    std::vector<NeededObject> unread;  // of which neither a definition nor a statement can be read
};

// Waits up to `lock_wait_ms` for others to release the tables; then, and
// at other failures, an SqlError. The connection's search_path must be empty.
SourceSchema read_source_schema(sql::Connection& source, const std::vector<TableName>& tables, int lock_wait_ms);

}  // namespace pgsluice
