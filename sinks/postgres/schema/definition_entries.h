// The statements that make a source's schema, from its definitions. Pure: no server is asked.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "sinks/postgres/schema/schema_entry.h"
#include "sinks/postgres/target.h"
#include "stream/definition/definition_message.h"

namespace pgsluice {

// Columns by their tables, that get no value on the target: they may be NULL and have no default.
using EmptyColumns = std::map<TableName, std::set<std::string>>;

// Before the load: tables and what they need. A table that is there is left as it is, with all that is said of it.
std::vector<SchemaEntry> entries_before_load(const DefinitionMessage& schema, const EmptyColumns& empty);

struct EntriesAfterLoad {
    std::vector<std::vector<SchemaEntry>> constraints;  // each list in order; the lists at once
    std::vector<SchemaEntry> constraints_above;         // of partitioned tables: after those of their partitions
    std::vector<SchemaEntry> indexes;                   // at once
    std::vector<SchemaEntry> last;  // attached indexes, statistics, foreign keys, comments, triggers
};
EntriesAfterLoad entries_after_load(const DefinitionMessage& schema);

}  // namespace pgsluice
