// The group's publication: the tables wanted and nothing else. It makes the server send changes; what was delivered is
// in the group's record of tables (stream/group/table_record.h).
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "sql/catalog.h"
#include "sql/connection.h"
#include "stream/base/log.h"

namespace pgsluice {

bool publication_exists(sql::Connection& connection, const std::string& name);

// Another text once it was altered in anything but its tables; empty when there is none. Compare only.
std::string publication_version(sql::Connection& connection, const std::string& name);

// By schema and name, as the publication names them: a partitioned table stands for its partitions.
std::vector<sql::CatalogTable> published_tables(sql::Connection& connection, const std::string& name);
// The publication's tables that are not among these.
std::vector<sql::CatalogTable> others_published(sql::Connection& connection, const std::string& name,
                                                std::span<const sql::CatalogTable> tables);

// The statements that make the publication what is wanted (ensure_publication()); none where it is so already. A stop
// Error where it was not made for a group.
std::vector<std::string> publication_statements(sql::Connection& connection, const std::string& name,
                                                std::span<const sql::CatalogTable> tables, bool via_partition_root);

// Creates the publication, or makes it what is wanted: exactly these tables (ONLY them, not what inherits from them),
// all kinds of changes, all rows and columns. Touches nothing when it is so already. Warns when it did not publish all
// kinds of changes.
// Transactions already in the WAL are still decoded as the publication was when they ran.
void ensure_publication(sql::Connection& connection, const std::string& name, std::span<const sql::CatalogTable> tables,
                        bool via_partition_root, const Log& log);

// Versions that kept no record of tables noted OIDs of tables whose copy was due in the publication's comment.
std::set<std::uint32_t> noted_due(sql::Connection& connection, const std::string& name);
void forget_noted_due(sql::Connection& connection, const std::string& name);

}  // namespace pgsluice
