#include "sinks/postgres/schema/drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace pgsluice {

namespace {

std::string column_drift(const Column& then, const CurrentTable& now) {
    const auto found = std::find_if(now.columns.begin(), now.columns.end(),
                                    [&](const sql::CatalogColumn& column) { return column.number == then.number; });
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
    if (then.oid == 0 || !is_numbered(then)) return {};
    if (now.schema.empty()) return "it was dropped";
    if (now.schema != then.schema || now.table != then.table)
        return fmt::format("it was renamed to '{}.{}'", now.schema, now.table);
    for (const Column& column : then.columns) {
        if (std::string drift = column_drift(column, now); !drift.empty()) return drift;
    }
    return describe_added(then, now);
}

std::string describe_added(const Relation& then, const CurrentTable& now) {
    if (then.oid == 0 || !is_numbered(then)) return {};
    // Generated columns are not copied.
    for (const sql::CatalogColumn& column : now.columns) {
        if (column.generated == '\0' && !has_column(then, column.number))
            return fmt::format("column '{}' was added", column.name);
    }
    return {};
}

CurrentTable current_table(sql::Connection& source, Oid oid) {
    CurrentTable table;
    for (const sql::CatalogTable& found : sql::tables_of(source, std::span(&oid, 1))) {
        table.schema = found.schema;
        table.table = found.name;
        table.columns = sql::columns_of(source, oid);
    }
    return table;
}

}  // namespace pgsluice
