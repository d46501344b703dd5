#include "rules/redefined.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace pgsluice::rules {
namespace {

std::optional<std::size_t> position(const Relation& relation, const std::string& name) {
    for (std::size_t i = 0; i < relation.columns.size(); ++i)
        if (relation.columns[i].name == name) return i;
    return std::nullopt;
}

// A column that has a rule of its own is as its rule says, whatever it was called before.
bool is_named(const TableRules& rules, const std::string& column) {
    return std::any_of(rules.rules.begin(), rules.rules.end(),
                       [&](const Rule& rule) { return rule.kind != Rule::Kind::filter && rule.column == column; });
}

// Added columns come last: one that stands before the rule's column and did not stand there may be that column under
// another name, and so may one that stood before it and does not any more.
bool moved(const Relation& before, const Relation& now, const std::string& other, const std::string& ruled) {
    const auto was = position(before, other);
    const bool stood_before = was && *was < *position(before, ruled);
    const bool stands_before = *position(now, other) < *position(now, ruled);
    return stands_before ? !stood_before : stood_before;
}

void check_place(const Relation& before, const Relation& now, const TableRules& rules, const Rule& rule) {
    for (const Column& other : now.columns) {
        if (other.name == rule.column || is_named(rules, other.name)) continue;
        if (!moved(before, now, other.name, rule.column)) continue;
        throw stop_error(
            fmt::format(
                "unable to go on with table '{}.{}': its columns were renamed or made anew, and what was '{}' may "
                "be '{}' now, which {} does not name",
                now.schema, now.table, rule.column, other.name, rule.place.file),
            fmt::format("Give '{}' the rule that its values need, or {{type: keep, column: ...}} if they may pass, and "
                        "start again.",
                        other.name));
    }
}

void check_order(const Relation& before, const Relation& now, const Rule& rule) {
    if (!rule.condition || !is_order(rule.condition->op) || rule.allow_type_change) return;
    const Column& old_column = before.columns[*position(before, rule.column)];
    const Column& new_column = now.columns[*position(now, rule.column)];
    if (value_type(old_column) == value_type(new_column)) return;
    throw stop_error(fmt::format("unable to apply {}: the column was {} and is {} now, which has another order",
                                 rule.place.text(), old_column.type_name, new_column.type_name),
                     "Correct the value for the new type; with allow_type_change: true the filter goes on.");
}

}  // namespace

void check_redefined(const Relation& before, const Relation& now, const TableRules& rules) {
    for (const Rule& rule : rules.rules) {
        if (rule.kind == Rule::Kind::keep) continue;
        if (!position(before, rule.column) || !position(now, rule.column)) continue;
        check_place(before, now, rules, rule);
        check_order(before, now, rule);
    }
}

}  // namespace pgsluice::rules
