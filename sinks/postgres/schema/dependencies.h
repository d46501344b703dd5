// What tables of the source need in order to be made elsewhere, from the source's catalog.
//
// The tables are those given, of a partitioned one all its partitions, and all they inherit from. The connection's
// search_path must be empty.
#pragma once

#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "sinks/postgres/schema/schema_entry.h"
#include "sinks/postgres/target.h"
#include "sql/connection.h"

namespace pgsluice {

// The tables, and the sequences their defaults use without owning them: quoted and qualified, as both pg_dump's --table
// and SQL take them.
std::vector<std::string> tables_to_make(sql::Connection& source, const std::vector<TableName>& tables);

// Sequences that columns of the tables own or use: quoted and qualified.
std::vector<std::string> sequences_of(sql::Connection& source, const std::vector<TableName>& tables);

// Columns of the tables that must have a value or have a default, other than `columns`.
std::vector<std::pair<TableName, std::string>> columns_without_value(sql::Connection& source, const TableName& table,
                                                                     const std::vector<std::string>& columns);

// Who keeps the tables from being read, for messages: sessions that have, or wait for, an exclusive lock. Empty when
// there are none.
std::string who_locks(sql::Connection& source, const std::vector<TableName>& tables);
// A retry Error that names them and `who` waited for them that long; nothing when there are none.
void refuse_locked(sql::Connection& source, const std::vector<TableName>& tables, const char* who, int lock_wait_ms);

struct NeededObject {
    std::string kind;        // "TABLE" for whatever is in pg_class, "TYPE", "FUNCTION", "OPERATOR CLASS"
    std::string definition;  // its class in DDL messages; empty where it has none
    std::string oid;
    bool readable = true;  // its definition, or a statement that makes it
    std::string schema;    // "-" when it is in none
    std::string name;      // empty for TABLE
};

// The tables, what is on them and what they need, apart from members of extensions.
std::vector<NeededObject> needed_objects(sql::Connection& source, const std::vector<TableName>& tables);
// Whether the target has one of that kind and name.
bool has_object(sql::Connection& target, const NeededObject& object);

// Those of the tables that the role may read: "ONLY a.b, ONLY a.c".
std::string readable_tables(sql::Connection& source, const std::vector<TableName>& tables);

// Types, functions, extensions and the like that the catalog says the tables, their indexes, constraints and triggers
// depend on.
class SchemaDependencies {
   public:
    // `types` are needed as well, without a table.
    SchemaDependencies(sql::Connection& source, const std::vector<TableName>& tables, const std::vector<Oid>& types);

    // Whether this is one of them; functions of one name count as one.
    [[nodiscard]] bool contains(const SchemaEntry& entry) const;
    // Whether it is of a kind that can be.
    [[nodiscard]] static bool may_contain(const SchemaEntry& entry);

   private:
    std::set<std::tuple<std::string, std::string, std::string>> objects_;  // kind, schema or "-", name
};

}  // namespace pgsluice
