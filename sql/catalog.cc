#include "sql/catalog.h"

namespace pgsluice::sql {

namespace {

constexpr const char* table_columns =
    "SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relreplident, c.relispartition "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ";

// A "char" column; empty text is the zero byte.
char letter(const Result& result, int row, int column) {
    const auto text = result.get(row, column);
    return text && !text->empty() ? text->front() : '\0';
}

CatalogTable table_at(const Result& result, int row) {
    return {static_cast<std::uint32_t>(result.integer(row, 0)),
            result.text(row, 1),
            result.text(row, 2),
            letter(result, row, 3),
            letter(result, row, 4),
            letter(result, row, 5),
            result.boolean(row, 6)};
}

}  // namespace

std::optional<CatalogTable> find_table(Connection& connection, std::string_view schema, std::string_view name) {
    const Result found = connection.query(std::string(table_columns) + "WHERE n.nspname = $1 AND c.relname = $2",
                                          {Param(schema), Param(name)}, Shape{7, 0, 1});
    if (found.rows() == 0) return std::nullopt;
    return table_at(found, 0);
}

std::vector<CatalogTable> tables_in(Connection& connection, std::string_view schema) {
    const Result found =
        connection.query(std::string(table_columns) +
                             "WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') ORDER BY c.relname COLLATE \"C\"",
                         {Param(schema)}, Shape{7});
    std::vector<CatalogTable> tables;
    for (int row = 0; row < found.rows(); ++row) tables.push_back(table_at(found, row));
    return tables;
}

bool schema_exists(Connection& connection, std::string_view schema) {
    const Result found =
        connection.query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", {Param(schema)}, Shape{1, 0, 1});
    return found.rows() == 1;
}

std::vector<CatalogColumn> columns_of(Connection& connection, std::uint32_t table_oid) {
    const std::string oid = std::to_string(table_oid);
    const Result found = connection.query(
        "SELECT a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attgenerated, a.attidentity, "
        "  CASE c.relreplident WHEN 'f' THEN true "
        "    WHEN 'd' THEN coalesce(p.indimmediate AND p.indisvalid AND a.attnum = ANY (p.indkey), false) "
        "    WHEN 'i' THEN coalesce(r.indimmediate AND r.indisvalid AND a.attnum = ANY (r.indkey), false) ELSE false "
        "END, "
        "  coalesce(a.attnum = ANY (p.indkey), false) "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid "
        "LEFT JOIN pg_catalog.pg_index p ON p.indrelid = c.oid AND p.indisprimary "
        "LEFT JOIN pg_catalog.pg_index r ON r.indrelid = c.oid AND r.indisreplident "
        "WHERE c.oid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        {Param(oid)}, Shape{9});
    std::vector<CatalogColumn> columns;
    for (int row = 0; row < found.rows(); ++row) {
        columns.push_back({static_cast<std::int16_t>(found.integer(row, 0)), found.text(row, 1),
                           static_cast<std::uint32_t>(found.integer(row, 2)),
                           static_cast<std::int32_t>(found.integer(row, 3)), found.boolean(row, 4),
                           letter(found, row, 5), letter(found, row, 6), found.boolean(row, 7), found.boolean(row, 8)});
    }
    return columns;
}

std::vector<std::string> unique_columns_of(Connection& connection, std::uint32_t table_oid) {
    const std::string oid = std::to_string(table_oid);
    const Result found = connection.query(
        "SELECT a.attname FROM pg_catalog.pg_attribute a "
        "WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped AND EXISTS ("
        "  SELECT FROM pg_catalog.pg_index i "
        "  WHERE i.indrelid = a.attrelid AND i.indisunique AND (a.attnum = ANY (i.indkey) OR EXISTS ("
        "    SELECT FROM pg_catalog.pg_depend d "
        "    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = i.indexrelid "
        "      AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = a.attrelid "
        "      AND d.refobjsubid = a.attnum))) ORDER BY a.attnum",
        {Param(oid)}, Shape{1});
    std::vector<std::string> names;
    for (int row = 0; row < found.rows(); ++row) names.push_back(found.text(row, 0));
    return names;
}

std::vector<std::pair<std::string, std::string>> ancestors_of(Connection& connection, std::uint32_t table_oid) {
    const std::string oid = std::to_string(table_oid);
    const Result found = connection.query(
        "SELECT n.nspname, c.relname "
        "FROM pg_catalog.pg_partition_ancestors($1::pg_catalog.oid) WITH ORDINALITY AS a(oid, distance) "
        "JOIN pg_catalog.pg_class c ON c.oid = a.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE a.oid <> $1::pg_catalog.oid ORDER BY a.distance",
        {Param(oid)}, Shape{2});
    std::vector<std::pair<std::string, std::string>> names;
    for (int row = 0; row < found.rows(); ++row) names.emplace_back(found.text(row, 0), found.text(row, 1));
    return names;
}

}  // namespace pgsluice::sql
