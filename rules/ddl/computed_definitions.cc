#include "rules/ddl/computed_definitions.h"

#include "rules/expressions/expression.h"
#include "stream/definition/find_part.h"

namespace pgsluice::rules {
namespace {

// Above those of PostgreSQL and of a history (rules/ddl/kept_definitions.cc). The same whether the source has a column
// of the name or not, so that one that it gets or loses is no command for the target.
constexpr std::int16_t first_number = 2100;

void take(ColumnDefinition& column, const ColumnDefinition& computed) {
    const bool inherited = column.inherited;
    column = computed;
    column.inherited = inherited;
}

}  // namespace

std::vector<ColumnDefinition> computed_columns(const Route* route, const Relation& table) {
    std::vector<ColumnDefinition> columns;
    if (route == nullptr) return columns;
    for (const ComputedColumn& computed : route->set) {
        const auto& [name, written] = computed;
        const SqlType type = Expression::compile(written.text, table, written.place).type();
        ColumnDefinition& column = columns.emplace_back();
        column.number = static_cast<std::int16_t>(first_number + columns.size());
        column.name = name;
        column.type = name_of(type);
        column.type_oid = column.base_oid = oid_of(type);
    }
    return columns;
}

void replace_computed(TableDefinition& table, const std::vector<ColumnDefinition>& computed) {
    for (ColumnDefinition& column : table.columns)
        if (const auto* replaced = find_part(computed, &ColumnDefinition::name, column.name)) take(column, *replaced);
}

void append_computed(TableDefinition& table, const std::vector<ColumnDefinition>& computed) {
    for (const ColumnDefinition& column : computed) {
        if (find_part(table.columns, &ColumnDefinition::name, column.name) != nullptr) continue;
        table.columns.push_back(column);
        table.columns.back().inherited = !table.parents.empty();
    }
}

}  // namespace pgsluice::rules
