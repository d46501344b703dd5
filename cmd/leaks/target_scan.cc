#include "cmd/leaks/target_scan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>

#include "sql/planned_code.h"
#include "sql/quote.h"
#include "stream/base/arena.h"
#include "stream/format/copy_text.h"

namespace pgsluice {
namespace {

struct ScannedTable {
    std::string schema;
    std::string name;
    std::vector<std::string> columns;
    std::vector<rules::ValueType> types;
    bool plain = false;  // COPY reads it without a query, so that nothing is planned
};

// All but PostgreSQL's own, partition by partition. Foreign tables are another database's.
constexpr const char* tables_query =
    "SELECT n.nspname, c.relname, c.oid::int8, c.relkind = 'f', "
    "has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE'), row_security_active(c.oid) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'm', 'f') AND c.relpersistence <> 't' AND n.nspname NOT LIKE 'pg\\_%' "
    "AND n.nspname <> 'information_schema' AND (c.relkind <> 'm' OR c.relispopulated) ORDER BY 1, 2";

// Not of numbers and times that are too short to say whose they are. Domains are what they are over.
constexpr const char* columns_query =
    "WITH RECURSIVE base AS ("
    "SELECT t.oid AS type, t.oid AS at FROM pg_type t "
    "UNION ALL SELECT base.type, t.typbasetype FROM base JOIN pg_type t ON t.oid = base.at WHERE t.typtype = 'd') "
    "SELECT a.attname, b.oid::int8, CASE WHEN b.typcategory = 'A' THEN b.typelem::int8 ELSE 0 END, "
    "(SELECT relkind = 'r' FROM pg_class WHERE oid = $1::oid) AND NOT EXISTS "
    "(SELECT FROM pg_attribute g WHERE g.attrelid = $1::oid AND g.attgenerated <> '') "
    "FROM pg_attribute a JOIN base ON base.type = a.atttypid "
    "JOIN pg_type b ON b.oid = base.at AND b.typtype <> 'd' "
    "WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped "
    "AND b.typcategory NOT IN ('B', 'D', 'T') AND b.typtype <> 'e' "
    "AND b.oid NOT IN ('int2'::regtype, 'int4'::regtype, 'oid'::regtype, 'float4'::regtype, 'float8'::regtype) "
    "ORDER BY a.attnum";

ScannedTable described(sql::Connection& connection, std::string schema, std::string name, std::int64_t oid) {
    ScannedTable table{std::move(schema), std::move(name), {}, {}};
    const auto columns = connection.query(columns_query, {std::to_string(oid)}, {4});
    for (int row = 0; row < columns.rows(); ++row) {
        Column column;
        column.type_oid = column.base_oid = static_cast<Oid>(columns.integer(row, 1));
        column.element_oid = static_cast<Oid>(columns.integer(row, 2));
        table.columns.push_back(columns.text(row, 0));
        table.types.push_back(rules::value_type(column));
        table.plain = columns.boolean(row, 3);
    }
    return table;
}

std::size_t scan(sql::Connection& connection, const ScannedTable& table, Sightings& sightings) {
    std::vector<std::string> quoted;
    std::vector<Sightings::Place*> places;
    for (const std::string& column : table.columns) {
        quoted.push_back(sql::quote_identifier(column));
        places.push_back(&sightings.place("target", fmt::format("{}.{}.{}", table.schema, table.name, column)));
    }
    const std::string name = sql::quote_qualified(table.schema, table.name);
    const std::string what = table.plain ? fmt::format("{} ({})", name, fmt::join(quoted, ", "))
                                         : fmt::format("(SELECT {} FROM ONLY {})", fmt::join(quoted, ", "), name);
    auto copy = connection.copy_out(fmt::format("COPY {} TO STDOUT", what),
                                    fmt::format("read '{}.{}' of the target", table.schema, table.name));
    Arena arena;
    std::size_t rows = 0;
    while (auto line = copy.next()) {
        arena.clear();
        std::string_view text = *line;
        const auto values = parse_copy_line(take_copy_line(text), places.size(), arena);
        for (std::size_t i = 0; i < values.size(); ++i)
            if (values[i].is_text()) sightings.look(*places[i], values[i].text(), table.types[i]);
        ++rows;
    }
    return rows;
}

// Why it is not read with this role; empty: it is.
std::string refusal(sql::Connection& connection, const ScannedTable& table, bool row_security, std::uint32_t oid) {
    if (table.columns.empty()) return {};
    if (row_security) return "row security hides rows of it from the role";
    if (table.plain) return {};
    const std::string code = sql::code_run_by_planning(connection, oid);
    return code.empty() ? "" : code + ", which a query on it would run with the role's rights";
}

}  // namespace

TargetScan scan_target(const sql::ConnectOptions& target, Sightings& sightings, const std::stop_token& stop) {
    sql::Connection connection(target, stop);
    connection.exec("SET default_transaction_read_only = on");
    TargetScan result;
    const auto refuse = [&](const std::string& name, const std::string& why) {
        result.unread.push_back(fmt::format("{}: {}", name, why));
        result.refused = true;
    };
    const auto tables = connection.query(tables_query, {}, {6});
    for (int row = 0; row < tables.rows(); ++row) {
        const std::string name = fmt::format("{}.{}", tables.text(row, 0), tables.text(row, 1));
        if (tables.boolean(row, 3)) {
            result.unread.push_back(name + ": it is a foreign table");
            continue;
        }
        if (!tables.boolean(row, 4)) {
            refuse(name, "the role may not read it");
            continue;
        }
        const auto table = described(connection, tables.text(row, 0), tables.text(row, 1), tables.integer(row, 2));
        const auto oid = static_cast<std::uint32_t>(tables.integer(row, 2));
        if (const std::string why = refusal(connection, table, tables.boolean(row, 5), oid); !why.empty()) {
            refuse(name, why);
            continue;
        }
        ++result.tables;
        result.columns += table.columns.size();
        if (!table.columns.empty()) result.rows += scan(connection, table, sightings);
    }
    return result;
}

}  // namespace pgsluice
