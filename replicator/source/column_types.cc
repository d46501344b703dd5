#include "replicator/source/column_types.h"

#include <algorithm>
#include <set>
#include <utility>

#include "sql/catalog.h"

namespace pgsluice {

namespace {

// Follows domains to their base; a true array's element is followed to its base as well. oidvector, point and the like
// also have a typelem, but are not the array type of it and look otherwise as text.
constexpr const char* types_query = R"(
WITH RECURSIVE wanted AS (SELECT DISTINCT oid FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS u(oid)),
base(origin, oid, typtype, typbasetype, typelem) AS (
    SELECT t.oid, t.oid, t.typtype, t.typbasetype, t.typelem
    FROM wanted w JOIN pg_catalog.pg_type t ON t.oid = w.oid
    UNION ALL
    SELECT b.origin, t.oid, t.typtype, t.typbasetype, t.typelem
    FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
),
element(origin, oid, typtype, typbasetype) AS (
    SELECT b.origin, t.oid, t.typtype, t.typbasetype
    FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.typelem AND t.typarray = b.oid WHERE b.typtype <> 'd'
    UNION ALL
    SELECT e.origin, t.oid, t.typtype, t.typbasetype
    FROM element e JOIN pg_catalog.pg_type t ON t.oid = e.typbasetype WHERE e.typtype = 'd'
)
SELECT w.oid, pg_catalog.format_type(w.oid, NULL), b.oid, coalesce(e.oid, 0)
FROM wanted w JOIN base b ON b.origin = w.oid AND b.typtype <> 'd'
LEFT JOIN element e ON e.origin = w.oid AND e.typtype <> 'd')";

bool equal(const Column& column, const sql::CatalogColumn& now) {
    return column.name == now.name && column.type_oid == now.type_oid && column.typmod == now.typmod;
}

// The catalog is as of now and the relation perhaps of earlier. Numbers are told only when no column differs: one of
// the same name may be another.
void fill_numbers(std::vector<Column>& columns, std::vector<sql::CatalogColumn> now) {
    const auto all = [&] { return std::equal(columns.begin(), columns.end(), now.begin(), now.end(), equal); };
    bool same = all();
    if (!same) {
        std::erase_if(now, [](const sql::CatalogColumn& column) { return column.generated != '\0'; });
        same = all();
    }
    for (std::size_t i = 0; i < columns.size(); ++i) columns[i].number = same ? now[i].number : std::int16_t{0};
}

}  // namespace

void ColumnTypes::load(std::span<const Column> columns) {
    std::set<Oid> missing;
    for (const Column& column : columns) {
        if (!known_.contains(column.type_oid)) missing.insert(column.type_oid);
    }
    if (missing.empty()) return;
    std::string list = "{";
    for (const Oid oid : missing) list += (list.size() > 1 ? "," : "") + std::to_string(oid);
    list += '}';
    // format_type() leaves out a schema that is in the search_path.
    connection_.query("SELECT pg_catalog.set_config('search_path', '', false)", {}, {1, 1, 1});
    const auto found = connection_.query(types_query, {sql::Param(list)}, {4});
    for (int row = 0; row < found.rows(); ++row) {
        known_[static_cast<Oid>(found.integer(row, 0))] = {found.text(row, 1), static_cast<Oid>(found.integer(row, 2)),
                                                           static_cast<Oid>(found.integer(row, 3))};
    }
    for (const Oid oid : missing) known_.try_emplace(oid, Type{"???", oid, 0});
}

void ColumnTypes::fill(Relation& relation) {
    load(relation.columns);
    relation.ancestors.clear();
    for (auto& [schema, table] : sql::ancestors_of(connection_, relation.oid))
        relation.ancestors.push_back({std::move(schema), std::move(table)});
    fill_numbers(relation.columns, sql::columns_of(connection_, relation.oid));
    const auto unique = sql::unique_columns_of(connection_, relation.oid);
    for (Column& column : relation.columns) {
        const Type& type = known_.at(column.type_oid);
        column.type_name = type.name;
        column.base_oid = type.base;
        column.element_oid = type.element;
        const bool identity = column.key && relation.identity != ReplicaIdentity::full;
        column.unique = !identity && std::find(unique.begin(), unique.end(), column.name) != unique.end();
    }
}

}  // namespace pgsluice
