// What is to be copied of the selected tables.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <vector>

#include "replicator/source/column_types.h"
#include "replicator/source/selected_tables.h"
#include "sql/catalog.h"
#include "sql/connection.h"
#include "stream/base/log.h"
#include "stream/change.h"

namespace pgsluice {

namespace rules {
class CompiledRules;
}

// A table as its changes will name it, and where its rows lie: itself, its leaves under the root's name, or nothing.
struct SourceTable {
    Relation relation;  // columns without generated ones, which pgoutput does not send
    std::vector<sql::CatalogTable> parts;
    std::shared_ptr<const rules::CompiledRules> rules{};  // that its rows pass; null: they are published as they are
};

// Partitioned tables are followed to their leaves: each its own table, or all parts of the root's.
// Read under the locks of a snapshot, so that nothing changes before the rows are read.
std::vector<SourceTable> tables_to_copy(sql::Connection& connection, std::span<const sql::CatalogTable> published,
                                        bool publish_via_partition_root, ColumnTypes& types);

// These tables and all partitions of theirs: by whatever name their changes come. What is gone is left out.
std::set<Oid> with_partitions(sql::Connection& connection, const std::set<Oid>& tables);

// Warns of tables whose UPDATE and DELETE PostgreSQL refuses because they are published (update_refusal.h).
void warn_of_refused_updates(sql::Connection& connection, std::span<const sql::CatalogTable> published, const Log& log);

}  // namespace pgsluice
