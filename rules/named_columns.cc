#include "rules/named_columns.h"

#include <fmt/format.h>

#include <algorithm>

#include "rules/listed_columns.h"
#include "rules/personal/column_names.h"
#include "stream/full_name.h"

namespace pgsluice::rules {

namespace {

bool names_all_rows(const Rule& rule) { return rule.kind != Rule::Kind::filter && rule.when.empty(); }

}  // namespace

// Key columns are in deletes as well.
bool is_named(const TableRules& rules, const Column& column, Operations needed) {
    Operations named;
    for (const Rule& rule : rules.rules)
        if (rule.column == column.name && names_all_rows(rule)) named |= rule.operations;
    return named.all(column.key ? needed : needed & Operations{Op::insert, Op::update});
}

bool is_conditional(const TableRules& rules, const Column& column) {
    return std::ranges::any_of(rules.rules,
                               [&](const Rule& rule) { return rule.column == column.name && !rule.when.empty(); });
}

bool hides_something(const RulesFile& file) {
    return std::ranges::any_of(file.tables, [](const TableRules& table) {
        return std::ranges::any_of(table.rules, [](const Rule& rule) {
            return rule.kind == Rule::Kind::transform || rule.kind == Rule::Kind::exclude;
        });
    });
}

bool samples_rows(const RulesFile& file) {
    return std::ranges::any_of(file.tables, [](const TableRules& table) {
        return std::ranges::any_of(table.rules, [](const Rule& rule) { return rule.sampling() != nullptr; });
    });
}

std::vector<UnnamedColumn> unnamed_columns(const RulesFile& file, const std::vector<Route>& routes,
                                           const Relation& relation) {
    const Route* route = entry_for(routes, relation, &Route::source);
    if (route != nullptr && !route->replicate) return {};
    const TableRules* entry = entry_for(file.tables, relation, &TableRules::name);
    TableRules rules = with_listed(entry, route, relation);
    if (entry == nullptr) rules.strict = file.strict;
    const Operations needed = (route == nullptr ? all_operations : route->operations) & row_operations;
    std::vector<UnnamedColumn> unnamed;
    for (const Column& column : relation.columns)
        if (!is_named(rules, column, needed))
            unnamed.push_back({full_name(relation), column.name, column.type_name, rules.strict,
                               is_conditional(rules, column), kind_by_name(relation, column)});
    return unnamed;
}

std::string warning_of_unnamed(const RulesFile& file, const TableRules* rules, const Relation& relation,
                               Operations needed) {
    if (!hides_something(file)) return {};
    std::string columns;
    for (const Column& column : relation.columns) {
        if (rules != nullptr && (is_named(*rules, column, needed) || is_conditional(*rules, column))) continue;
        const PersonalKind kind = kind_by_name(relation, column);
        if (kind == PersonalKind::none) continue;
        columns += fmt::format("{}'{}' ({})", columns.empty() ? "" : ", ", column.name, what(kind));
    }
    if (columns.empty()) return {};
    return fmt::format(
        "no rule names these columns of {}.{}, which look personal by their names and types: {}; their values pass as "
        "they are; hide them, or name them by a rule of type keep",
        relation.schema, relation.table, columns);
}

}  // namespace pgsluice::rules
