#include "cmd/check/target/column_facts.h"

#include <string>

#include "sql/catalog.h"

namespace pgsluice {

namespace {

// A domain's length is its own, and no column over it can have another. Of the expression: of a generated column only.
constexpr const char* facts_query =
    "WITH RECURSIVE base AS (SELECT a.attnum, a.atttypid AS oid, a.atttypmod AS typmod, 1 AS depth "
    "FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped UNION ALL "
    "SELECT b.attnum, t.typbasetype, CASE WHEN b.typmod = -1 THEN t.typtypmod ELSE b.typmod END, b.depth + 1 "
    "FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.oid WHERE t.typtype = 'd') "
    "SELECT DISTINCT ON (a.attnum) a.attname, pg_catalog.format_type(b.oid, -1), b.typmod::pg_catalog.int8, "
    "pg_catalog.format_type(a.atttypid, a.atttypmod), "
    "a.attnotnull AND NOT a.atthasdef AND a.attidentity = '', a.attnotnull, "
    "CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) ELSE '' END, "
    "a.attgenerated = 's', b.oid::pg_catalog.int8 "
    "FROM base b JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::oid AND a.attnum = b.attnum "
    "LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
    "ORDER BY a.attnum, b.depth DESC";

constexpr const char* labels_query =
    "SELECT e.enumlabel FROM pg_catalog.pg_type t JOIN pg_catalog.pg_enum e ON e.enumtypid IN (t.oid, t.typelem) "
    "WHERE t.oid = $1::oid ORDER BY e.enumsortorder";

std::vector<std::string> labels_of(sql::Connection& connection, std::int64_t type) {
    constexpr std::int64_t first_of_users = 16384;  // FirstNormalObjectId: no type of the server's own is an enum
    if (type < first_of_users) return {};
    const auto rows = connection.query(labels_query, {std::to_string(type)}, {1});
    std::vector<std::string> labels;
    for (int row = 0; row < rows.rows(); ++row) labels.push_back(rows.text(row, 0));
    return labels;
}

}  // namespace

FactsByName facts_of(sql::Connection& connection, Oid table) {
    const std::string oid = std::to_string(table);
    const auto rows = connection.query(facts_query, {sql::Param(oid)}, {9});
    FactsByName all;
    for (int row = 0; row < rows.rows(); ++row) {
        ColumnFacts facts;
        facts.type = {rows.text(row, 1), rows.integer(row, 2)};
        facts.full = rows.text(row, 3);
        facts.needs_value = rows.boolean(row, 4);
        facts.not_null = rows.boolean(row, 5);
        facts.generated_as = rows.text(row, 6);
        facts.generated_stored = rows.boolean(row, 7);
        facts.labels = labels_of(connection, rows.integer(row, 8));
        all[rows.text(row, 0)] = std::move(facts);
    }
    return all;
}

}  // namespace pgsluice
