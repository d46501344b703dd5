// What the target's catalog says about a table changes are written to.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sinks/column_types.h"
#include "sql/connection.h"
#include "stream/change.h"

namespace pgsluice {

struct TargetColumn {
    std::string name;
    std::string quoted;
    int number = 0;  // in pg_attribute
    // What a text is cast to on its way in: the column's type without length or precision (a domain's base type), so
    // that a value too long for the column is an error and not cut by an explicit cast.
    std::string type;
    std::int64_t typmod = -1;  // its length, precision and so on, as pg_attribute.atttypmod has it
    bool generated = false;
    bool identity_always = false;
    bool not_null = false;
    std::string equals = "=";  // the type's default equality, spelled for an empty search_path
    bool exact = false;        // equal values are the same text: not so for numeric (1.0, 1.00), citext and others
    bool in_gist = false;      // in one of TargetTable::gist_indexes
};

struct TargetIndex {
    std::string name;
    bool primary = false;
    bool immediate = true;  // false: DEFERRABLE
    bool plain = true;      // false: partial or over expressions
    bool exclusion = false;
    bool nulls_equal = false;         // UNIQUE NULLS NOT DISTINCT
    std::vector<int> columns;         // into TargetTable::columns; -1 for an expression
    std::vector<std::string> equals;  // per column, the operator that finds conflicts, e.g. = or OPERATOR("public".=)
    bool without_nulls = false;       // no column of it can be NULL
};

struct TargetTable {
    Oid oid = 0;
    std::string schema;
    std::string table;
    std::string name;  // quoted and qualified
    std::string only;  // the same with ONLY in front where rows of children are not the table's
    bool partitioned = false;
    bool foreign = false;        // a foreign table
    std::vector<Oid> ancestors;  // of a partition, its parents up to the root
    // A foreign key that takes rows of its table along when a row of this one is deleted, or changes them: "foreign key
    // 'order_customer_fkey' of 'public.order'"; empty when there is none.
    std::string delete_cascade;
    std::vector<TargetColumn> columns;
    std::vector<TargetIndex> indexes;  // unique and exclusion
    std::vector<Oid> gist_indexes;     // of the table and its partitions (TargetMapping::row_by_row)

    [[nodiscard]] const TargetColumn* find(std::string_view column) const noexcept;
    // Constraints that session_replication_role = replica leaves unchecked.
    [[nodiscard]] bool has_deferrable() const noexcept;
};

using TableName = std::pair<std::string, std::string>;  // schema, table
std::vector<TableName> names_of(const std::vector<const Relation*>& tables);
// Of the columns that are written.
ColumnTypeNames type_names_of(const TargetTable& table);

// Throws: no table of schema pgsluice is written to for one of the source (sql/own_schema.h).
[[noreturn]] void refuse_own_schema(const std::string& table);
// Nothing when there is no such table. The connection's search_path must be empty: names of types come back qualified.
std::optional<TargetTable> find_target_table(sql::Connection& connection, const std::string& schema,
                                             const std::string& table);
// The same; a stop Error with a hint when it does not exist.
TargetTable load_target_table(sql::Connection& connection, const std::string& schema, const std::string& table);

}  // namespace pgsluice
