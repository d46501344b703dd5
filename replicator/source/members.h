// The tables whose rows and changes a group's tables bring in, as the catalog has them: ordinary tables, leaf
// partitions, inheritance children. Read with plain queries only, so that a transaction with an old snapshot sees them
// as of that snapshot.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "replicator/source/table_selection.h"
#include "sql/catalog.h"
#include "sql/connection.h"
#include "sql/lsn.h"
#include "stream/base/log.h"
#include "stream/change.h"

namespace pgsluice {

struct Member {
    sql::CatalogTable table;
    std::uint32_t created_xid = 0;  // of pg_attribute's row for ctid, which nothing but the table's creation writes
    sql::CatalogTable named;        // the group's table that brings it in: itself, or the partitioned table above it
    Oid delivered_oid = 0;          // the table that its changes name
    QualifiedName delivered_as;
    // What makes the source send its changes (TableRecord::capture); empty while the publication does not have it.
    std::string capture;
    // It held no rows when its changes began to be captured: it was made as a partition, and so was every table between
    // it and the named one. Or it has none at `empty_since`, see there.
    bool starts_empty = false;
    Lsn empty_since = {};
    bool has_identity = false;
    bool by_pattern = false;  // the named table is in the group only because a pattern or a whole schema matches it
    // Why our role may not take it in; empty when it may.
    std::string obstacle;
};

// The tables with all that inherit from them and are not excluded. Children that cannot be replicated are logged.
std::vector<sql::CatalogTable> with_children(sql::Connection& connection, std::span<const sql::CatalogTable> tables,
                                             const TableSelection& selection, const Log& log);

std::vector<Member> find_members(sql::Connection& connection, std::span<const sql::CatalogTable> tables,
                                 const std::string& publication, bool via_partition_root);

// Partitioned tables among these that are not published, have no key and, so far, no partition. Once published, they
// would bring in partitions on which the source refuses UPDATE and DELETE.
std::set<Oid> unpublished_without_key(sql::Connection& connection, std::span<const sql::CatalogTable> tables,
                                      const std::string& publication);

// Where in the WAL the table's file is known to hold no page: no row was ever put into it, or none is left. Nothing
// when it holds one, or when that cannot be told because another session has it locked.
std::optional<Lsn> empty_since(sql::Connection& connection, Oid table);

struct Existing {
    std::uint32_t created_xid = 0;
    QualifiedName name;
};
// Those of the tables that exist.
std::map<Oid, Existing> find_existing(sql::Connection& connection, std::span<const Oid> tables);

// Whether this transaction holds a lock on each of the tables.
bool all_locked(sql::Connection& connection, std::span<const Oid> tables);

}  // namespace pgsluice
