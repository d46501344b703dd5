// The group's publication: the tables wanted and nothing else.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>

#include "sql/catalog.h"
#include "sql/connection.h"
#include "stream/log.h"

namespace pgsluice {

bool publication_exists(sql::Connection& connection, const std::string& name);

// What becomes of the rows that the tables already hold.
enum class PublishedRows : std::uint8_t {
    all_copied,   // a copy of all tables is about to be made, or nothing is copied: the group is new
    not_copied,   // the group runs, and what its new tables hold stays behind
    copy_is_due,  // the group runs, and its new tables are to be copied
};

// OIDs of tables that joined a running group.
struct DueTables {
    std::set<std::uint32_t> copy;      // to be copied
    std::set<std::uint32_t> call_off;  // were to be, but left again or are not wanted copied any more
};

// Creates the publication, or makes it what is wanted: exactly these tables (ONLY them, not what inherits from them),
// all kinds of changes, all rows and columns. Touches nothing when it is so already. Tells the log what a running group
// gains and loses.
// Transactions already in the WAL are still decoded as the publication was when they ran.
//
// From the moment they belong to the publication until copy_is_done(), tables that are to be copied stand in its
// comment, so that no crash makes us forget them. `copied`: those that stand there now are copied after all.
DueTables ensure_publication(sql::Connection& connection, const std::string& name,
                             std::span<const sql::CatalogTable> tables, bool via_partition_root, PublishedRows rows,
                             bool copied, const Log& log);
void copy_is_done(sql::Connection& connection, const std::string& name);

}  // namespace pgsluice
