// How a table of the source differs from what it was when a snapshot of it was taken.
//
// Its rows are as of then, so a table made from the catalog of now would not fit them: what an added column holds in
// them, or what a dropped one held, is not in the catalog.
#pragma once

#include <string>
#include <vector>

#include "sql/catalog.h"
#include "sql/connection.h"
#include "stream/change.h"

namespace pgsluice {

struct CurrentTable {
    std::string schema;  // empty: it was dropped
    std::string table;
    std::vector<sql::CatalogColumn> columns;
};

// "column 'c' was added"; empty when nothing of what a copy holds has changed, or `then` does not number its columns.
// `then` as the snapshot's begin marker has it, before rules.
std::string describe_drift(const Relation& then, const CurrentTable& now);
// Added columns only: `then` may have been through rules, which rename tables and columns.
std::string describe_added(const Relation& then, const CurrentTable& now);

// The table of this oid, in the source's catalog.
CurrentTable current_table(sql::Connection& source, Oid oid);

}  // namespace pgsluice
