#include "rules/made_like.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgsluice::rules {
namespace {

bool has_all_of(const Relation& relation, const Relation& other) {
    return std::ranges::all_of(other.columns, [&](const Column& wanted) {
        return std::ranges::any_of(relation.columns, [&](const Column& column) {
            return column.name == wanted.name && column.type_oid == wanted.type_oid;
        });
    });
}

std::string hidden_columns(const TableRules& entry) {
    std::string columns;
    for (const Rule& rule : entry.rules)
        if (rule.kind == Rule::Kind::transform || rule.kind == Rule::Kind::exclude)
            columns += fmt::format("{}'{}'", columns.empty() ? "" : ", ", rule.column);
    return columns;
}

}  // namespace

std::string warning_of_likeness(const Relation& relation, const RulesFile& file, std::span<const RelationPtr> tables) {
    for (const RelationPtr& other : tables) {
        const TableRules* entry = entry_for(file.tables, *other, &TableRules::name);
        if (entry == nullptr || other->columns.empty() || !has_all_of(relation, *other)) continue;
        const std::string hidden = hidden_columns(*entry);
        if (hidden.empty()) continue;
        return fmt::format(
            "no rule names the table {}.{}, which has all columns of {}.{}, of which the rules hide {}: its rows pass "
            "as "
            "they are; give it the same rules, or name it in the file with rules of type keep",
            relation.schema, relation.table, other->schema, other->table, hidden);
    }
    return {};
}

}  // namespace pgsluice::rules
