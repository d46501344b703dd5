// The group's publication: the tables wanted and nothing else.
#pragma once

#include <span>
#include <string>

#include "sql/catalog.h"
#include "sql/connection.h"
#include "stream/log.h"

namespace pgsluice {

bool publication_exists(sql::Connection& connection, const std::string& name);

// Creates the publication, or makes it what is wanted: exactly these tables (ONLY them, not what inherits from them),
// all kinds of changes, all rows and columns. Touches nothing when it is so already. Tells the log what a running group
// gains and loses; `running` says whether rows of a new table will not be copied.
// Transactions already in the WAL are still decoded as the publication was when they ran.
void ensure_publication(sql::Connection& connection, const std::string& name, std::span<const sql::CatalogTable> tables,
                        bool via_partition_root, bool running, const Log& log);

}  // namespace pgsluice
