#include "sinks/postgres/schema/drift.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgsluice {

namespace {

bool is_numbered(const Relation& relation) {
    return relation.oid != 0 && std::all_of(relation.columns.begin(), relation.columns.end(),
                                            [](const Column& column) { return column.number > 0; });
}

std::string column_drift(const Column& then, const CurrentTable& now) {
    const auto found = std::find_if(now.columns.begin(), now.columns.end(),
                                    [&](const CurrentColumn& column) { return column.number == then.number; });
    if (found == now.columns.end()) return fmt::format("column '{}' was dropped", then.name);
    if (found->name != then.name) return fmt::format("column '{}' was renamed to '{}'", then.name, found->name);
    if (found->type_oid != then.type_oid || found->typmod != then.typmod)
        return fmt::format("column '{}' changed its type", then.name);
    return {};
}

bool has_column(const Relation& relation, std::int16_t number) {
    return std::any_of(relation.columns.begin(), relation.columns.end(),
                       [&](const Column& column) { return column.number == number; }) ||
           std::find(relation.excluded.begin(), relation.excluded.end(), number) != relation.excluded.end();
}

}  // namespace

std::string describe_drift(const Relation& then, const CurrentTable& now) {
    if (!is_numbered(then)) return {};
    if (now.schema.empty()) return "it was dropped";
    if (now.schema != then.schema || now.table != then.table)
        return fmt::format("it was renamed to '{}.{}'", now.schema, now.table);
    for (const Column& column : then.columns) {
        if (std::string drift = column_drift(column, now); !drift.empty()) return drift;
    }
    return describe_added(then, now);
}

std::string describe_added(const Relation& then, const CurrentTable& now) {
    if (!is_numbered(then)) return {};
    // Generated columns are not copied.
    for (const CurrentColumn& column : now.columns) {
        if (!column.generated && !has_column(then, column.number))
            return fmt::format("column '{}' was added", column.name);
    }
    return {};
}

CurrentTable current_table(sql::Connection& source, Oid oid) {
    const auto rows = source.query(
        "SELECT n.nspname, c.relname, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attgenerated <> '' "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attribute a ON a.attrelid = c.oid "
        "AND a.attnum > 0 AND NOT a.attisdropped WHERE c.oid = $1::oid ORDER BY a.attnum",
        {std::to_string(oid)}, {7});
    CurrentTable table;
    for (int row = 0; row < rows.rows(); ++row) {
        table.schema = rows.text(row, 0);
        table.table = rows.text(row, 1);
        if (!rows.get(row, 2)) continue;  // a table without columns
        table.columns.push_back({static_cast<std::int16_t>(rows.integer(row, 2)), rows.text(row, 3),
                                 static_cast<Oid>(rows.integer(row, 4)),
                                 static_cast<std::int32_t>(rows.integer(row, 5)), rows.boolean(row, 6)});
    }
    return table;
}

}  // namespace pgsluice
