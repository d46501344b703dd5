#include "sinks/postgres/lossy_columns.h"

#include <fmt/format.h>

#include "sinks/postgres/column_fit.h"

namespace pgsluice {

namespace {

// As the target's catalog is asked for it.
std::string base_of(const Column& column) {
    constexpr std::string_view name = "character";
    const bool is_char = column.type_name == name || column.type_name == "character[]";
    return is_char ? "bpchar" + column.type_name.substr(name.size()) : column.type_name;
}

}  // namespace

void LossyColumns::warn(const Relation& relation, const TargetTable& table) {
    for (const Column& column : relation.columns) {
        if (column.number == 0) continue;  // not the source's: a constant, or computed for this very target
        if (const TargetColumn* own = table.find(column.name)) warn(column, *own, table);
    }
}

void LossyColumns::warn(const Column& column, const TargetColumn& own, const TargetTable& table) {
    std::string what;
    if (own.generated) {
        what = "is generated: the values of rows are dropped, and the target computes its own";
    } else {
        const ColumnFit fit = fit_of({own.type, own.typmod}, {base_of(column), column.typmod});
        const bool is_domain = column.base_oid != 0 && column.base_oid != column.type_oid;
        if (is_domain || !loses_values(fit)) return;
        what = fmt::format("is another type than in the rows: values {}", fit.changes);
    }
    std::string line = fmt::format("column '{}' of the target's table '{}.{}' {}; see pgsluice check", own.name,
                                   table.schema, table.table, what);
    if (said_.insert(line).second) log_(LogLevel::warning, line);
}

}  // namespace pgsluice
