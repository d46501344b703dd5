// Which tables --tables and --schema mean, and what is to be copied of them.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "replicator/options.h"
#include "replicator/source/column_types.h"
#include "sql/catalog.h"
#include "sql/connection.h"
#include "stream/change.h"
#include "stream/log.h"

namespace pgsluice {

// "shop.orders" -> {shop, orders}; a part may be in double quotes, "" standing for one. The names are exact, not folded
// to lower case. A usage Error when the text is no name.
struct TableName {
    std::string schema;
    std::string table;
    bool operator==(const TableName&) const = default;
};
TableName parse_table_name(std::string_view text, std::string_view default_schema);

// What the publication is made for, each once, ordered by schema and name. For a whole schema: its ordinary and
// partitioned tables, without partitions whose root is among them. A stop Error for a table that is missing, is no
// table, or cannot be published; those a whole schema brings in are left out with a warning.
std::vector<sql::CatalogTable> resolve_tables(sql::Connection& connection, const ReplicatorOptions& options,
                                              const Log& log);

// A table as its changes will name it, and where its rows lie: itself, its leaves under the root's name, or nothing.
struct SourceTable {
    Relation relation;  // columns without generated ones, which pgoutput does not send
    std::vector<sql::CatalogTable> parts;
};

// Partitioned tables are followed to their leaves: each its own table, or all parts of the root's.
// Read under the locks of a snapshot, so that nothing changes before the rows are read.
std::vector<SourceTable> tables_to_copy(sql::Connection& connection, std::span<const sql::CatalogTable> published,
                                        bool publish_via_partition_root, ColumnTypes& types);

// These tables and all partitions of theirs: by whatever name their changes come. What is gone is left out.
std::set<Oid> with_partitions(sql::Connection& connection, const std::set<Oid>& tables);

// Warns of tables whose UPDATE and DELETE PostgreSQL will refuse, for they are published and have no replica identity.
void warn_of_missing_identity(sql::Connection& connection, std::span<const sql::CatalogTable> published,
                              const Log& log);

}  // namespace pgsluice
