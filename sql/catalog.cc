#include "sql/catalog.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace pgsluice::sql {

namespace {

constexpr const char* table_columns =
    "c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relreplident, c.relispartition, "
    "(SELECT e.extname FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid "
    " WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.objsubid = 0 "
    " AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e' LIMIT 1)";
constexpr const char* from_tables =
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace";

// An index's own columns are the first of indkey; those that it includes follow. pg_depend names both, and what an
// expression or a predicate names, without telling them apart.
constexpr const char* columns_query = R"(
WITH keys AS NOT MATERIALIZED (
    SELECT i.*, (i.indkey::pg_catalog.int2[])[0:i.indnkeyatts - 1] AS columns FROM pg_catalog.pg_index i
    WHERE i.indisunique
)
SELECT c.oid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attgenerated, a.attidentity,
       CASE c.relreplident
           WHEN 'f' THEN true
           WHEN 'd' THEN coalesce(p.indimmediate AND p.indisvalid AND a.attnum = ANY (p.columns), false)
           WHEN 'i' THEN coalesce(r.indimmediate AND r.indisvalid AND a.attnum = ANY (r.columns), false)
           ELSE false END,
       coalesce(a.attnum = ANY (p.columns), false),
       EXISTS (SELECT FROM keys u WHERE u.indrelid = c.oid AND (a.attnum = ANY (u.columns) OR (
           (u.indexprs IS NOT NULL OR u.indpred IS NOT NULL) AND EXISTS (
               SELECT FROM pg_catalog.pg_depend d
               WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = u.indexrelid
                 AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = c.oid
                 AND d.refobjsubid = a.attnum))))
FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS wanted(oid)
JOIN pg_catalog.pg_class c ON c.oid = wanted.oid
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN keys p ON p.indrelid = c.oid AND p.indisprimary
LEFT JOIN keys r ON r.indrelid = c.oid AND r.indisreplident
ORDER BY c.oid, a.attnum)";

// A "char" column; empty text is the zero byte.
char letter(const Result& result, int row, int column) {
    const auto text = result.get(row, column);
    return text && !text->empty() ? text->front() : '\0';
}

std::uint32_t oid_at(const Result& result, int row, int column) {
    return static_cast<std::uint32_t>(result.integer(row, column));
}

// From the columns that `table_columns` selects, the first of them at `column`.
CatalogTable table_at(const Result& result, int row, int column = 0) {
    return {oid_at(result, row, column),     result.text(row, column + 1),
            result.text(row, column + 2),    letter(result, row, column + 3),
            letter(result, row, column + 4), letter(result, row, column + 5),
            result.boolean(row, column + 6), std::string(result.get(row, column + 7).value_or(""))};
}

// As an array's text: "{1,2}".
std::string array_of(std::span<const std::uint32_t> oids) { return fmt::format("{{{}}}", fmt::join(oids, ",")); }

std::string array_of(std::span<const std::string> texts) {
    std::string out = "{";
    for (const auto& text : texts) {
        out += out.size() > 1 ? ",\"" : "\"";
        for (const char c : text) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        out += '"';
    }
    return out + '}';
}

// The tables `c` that the query `numbers` finds as `f` for each of the wanted ones. Without LATERAL and OFFSET 0 the
// planner, which cannot know how few these are, reads all tables for each.
TablesByTable related(Connection& connection, std::span<const std::uint32_t> tables, const char* numbers,
                      const char* condition, const char* order) {
    const std::string oids = array_of(tables);
    const Result found = connection.query(
        fmt::format("SELECT wanted.oid, c.* FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS wanted(oid) "
                    "CROSS JOIN LATERAL ({}) AS f CROSS JOIN LATERAL (SELECT {} {} WHERE c.oid = f.oid{} OFFSET 0) AS "
                    "c ORDER BY wanted.oid, {}",
                    numbers, table_columns, from_tables, condition, order),
        {Param(oids)}, Shape{9});
    TablesByTable result;
    for (int row = 0; row < found.rows(); ++row) result[oid_at(found, row, 0)].push_back(table_at(found, row, 1));
    return result;
}

}  // namespace

std::optional<CatalogTable> find_table(Connection& connection, std::string_view schema, std::string_view name) {
    const Result found = connection.query(
        fmt::format("SELECT {} {} WHERE n.nspname = $1 AND c.relname = $2", table_columns, from_tables),
        {Param(schema), Param(name)}, Shape{8, 0, 1});
    if (found.rows() == 0) return std::nullopt;
    return table_at(found, 0);
}

std::vector<CatalogTable> tables_in(Connection& connection, std::span<const std::string> schema_patterns) {
    const std::string patterns = array_of(schema_patterns);
    const Result found = connection.query(
        fmt::format("SELECT {} {} WHERE n.nspname LIKE ANY ($1::pg_catalog.text[]) AND c.relkind IN ('r', 'p') "
                    "ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"",
                    table_columns, from_tables),
        {Param(patterns)}, Shape{8});
    std::vector<CatalogTable> tables;
    for (int row = 0; row < found.rows(); ++row) tables.push_back(table_at(found, row));
    return tables;
}

std::vector<CatalogTable> tables_of(Connection& connection, std::span<const std::uint32_t> oids) {
    const std::string list = array_of(oids);
    const Result found = connection.query(
        fmt::format("SELECT {} {} WHERE c.oid = ANY ($1::pg_catalog.oid[]) ORDER BY c.oid", table_columns, from_tables),
        {Param(list)}, Shape{8});
    std::vector<CatalogTable> tables;
    for (int row = 0; row < found.rows(); ++row) tables.push_back(table_at(found, row));
    return tables;
}

bool schema_exists(Connection& connection, std::string_view schema) {
    const Result found =
        connection.query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", {Param(schema)}, Shape{1, 0, 1});
    return found.rows() == 1;
}

ColumnsByTable columns_of(Connection& connection, std::span<const std::uint32_t> tables) {
    const std::string oids = array_of(tables);
    const Result found = connection.query(columns_query, {Param(oids)}, Shape{11});
    ColumnsByTable columns;
    for (int row = 0; row < found.rows(); ++row) {
        columns[oid_at(found, row, 0)].push_back(
            {static_cast<std::int16_t>(found.integer(row, 1)), found.text(row, 2), oid_at(found, row, 3),
             static_cast<std::int32_t>(found.integer(row, 4)), found.boolean(row, 5), letter(found, row, 6),
             letter(found, row, 7), found.boolean(row, 8), found.boolean(row, 9), found.boolean(row, 10)});
    }
    return columns;
}

std::vector<CatalogColumn> columns_of(Connection& connection, std::uint32_t table) {
    return std::move(columns_of(connection, std::span(&table, 1))[table]);
}

TablesByTable ancestors_of(Connection& connection, std::span<const std::uint32_t> tables) {
    return related(connection, tables,
                   "WITH RECURSIVE up(oid, distance) AS ("
                   "  SELECT i.inhparent, 1 FROM pg_catalog.pg_inherits i WHERE i.inhrelid = wanted.oid"
                   "  UNION ALL SELECT i.inhparent, u.distance + 1 FROM up u CROSS JOIN LATERAL ("
                   "    SELECT i.inhparent FROM pg_catalog.pg_inherits i WHERE i.inhrelid = u.oid OFFSET 0) AS i) "
                   "SELECT up.oid, min(up.distance) AS distance FROM up GROUP BY up.oid",
                   "", "f.distance, c.oid");
}

TablesByTable leaves_of(Connection& connection, std::span<const std::uint32_t> tables) {
    return related(connection, tables,
                   "SELECT leaf.oid FROM ("
                   "  SELECT r.oid, r.relkind FROM pg_catalog.pg_class r WHERE r.oid = wanted.oid OFFSET 0) AS root "
                   "CROSS JOIN LATERAL ("
                   "  SELECT root.oid WHERE root.relkind <> 'p' "
                   "  UNION ALL SELECT t.relid FROM pg_catalog.pg_partition_tree(root.oid) t WHERE root.relkind = 'p'"
                   ") AS leaf(oid)",
                   " AND c.relkind <> 'p'", "c.nspname COLLATE \"C\", c.relname COLLATE \"C\"");
}

}  // namespace pgsluice::sql
