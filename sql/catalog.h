// Catalog queries that both ends need: what a table is and what its columns are.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/connection.h"

namespace pgsluice::sql {

// A relation's row in pg_class; of any kind, so that a view can be told from a table that is not there.
struct CatalogTable {
    std::uint32_t oid = 0;
    std::string schema;
    std::string name;
    char kind = 'r';         // pg_class.relkind: r table, p partitioned, v view, m materialised view, f foreign, ...
    char persistence = 'p';  // pg_class.relpersistence: p permanent, u unlogged, t temporary
    char replica_identity = 'd';  // pg_class.relreplident: d default, n nothing, f full, i index
    bool is_partition = false;
    std::string extension{};  // that it is a member of; empty: of none
};

// In order of attnum, without dropped columns.
struct CatalogColumn {
    std::int16_t number = 0;  // attnum
    std::string name;
    std::uint32_t type_oid = 0;
    std::int32_t typmod = -1;
    bool not_null = false;
    char generated = '\0';  // pg_attribute.attgenerated: s stored, v virtual
    char identity = '\0';   // pg_attribute.attidentity: a always, d by default
    bool key = false;       // part of the usable replica identity; every column when that is FULL
    bool primary_key = false;
    // In any unique index of the table (the key's as well), also where only its expression or predicate names the
    // column. A column that an index merely includes is in none of these three.
    bool unique = false;
};

// Nothing when there is no such relation. The names are exact, not folded.
std::optional<CatalogTable> find_table(Connection& connection, std::string_view schema, std::string_view name);
// All ordinary and partitioned tables, partitions among them, of the schemas whose names are LIKE one of the patterns.
// By schema and name.
std::vector<CatalogTable> tables_in(Connection& connection, std::span<const std::string> schema_patterns);
// Those of the relations that exist, by OID.
std::vector<CatalogTable> tables_of(Connection& connection, std::span<const std::uint32_t> oids);
bool schema_exists(Connection& connection, std::string_view schema);

// Of many tables in one query, by OID. A table that is gone, or of which there is nothing to say, has no entry.
using ColumnsByTable = std::map<std::uint32_t, std::vector<CatalogColumn>>;
ColumnsByTable columns_of(Connection& connection, std::span<const std::uint32_t> tables);
std::vector<CatalogColumn> columns_of(Connection& connection, std::uint32_t table);

// The tables above one, nearest first: partitioned ones above a partition, parents above one that inherits.
using TablesByTable = std::map<std::uint32_t, std::vector<CatalogTable>>;
TablesByTable ancestors_of(Connection& connection, std::span<const std::uint32_t> tables);
// The leaves of partitioned tables by schema and name; of another table, itself.
TablesByTable leaves_of(Connection& connection, std::span<const std::uint32_t> tables);

}  // namespace pgsluice::sql
