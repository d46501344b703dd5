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

// A column with a rule of its own follows that rule, whatever its name was before.
bool is_named(const TableRules& rules, const std::string& column) {
    return std::any_of(rules.rules.begin(), rules.rules.end(),
                       [&](const Rule& rule) { return rule.kind != Rule::Kind::filter && rule.column == column; });
}

std::string file_of(const TableRules& rules) { return rules.place.file.empty() ? "the rules file" : rules.place.file; }

bool has_filter(const TableRules& rules, const std::string& column) {
    return std::ranges::any_of(
        rules.rules, [&](const Rule& rule) { return rule.kind == Rule::Kind::filter && rule.column == column; });
}

bool says_was(const TableRules& rules, const std::string& column, const std::string& was) {
    return std::ranges::any_of(rules.rules, [&](const Rule& rule) { return rule.column == column && rule.was == was; });
}

// `taken`: another column had the name.
void check_renamed(const std::string& was, bool taken, const Relation& now, const TableRules& rules,
                   const std::vector<std::string>& ruled, const Column& column) {
    const bool hid = std::ranges::find(ruled, was) != ruled.end();
    if (was == column.name || (!hid && !(taken && has_filter(rules, column.name)))) return;
    const bool named = is_named(rules, column.name);
    if (says_was(rules, column.name, was) || (named && !taken)) return;
    const std::string what = fmt::format("unable to continue table '{}.{}': its column '{}' is now named '{}', ",
                                         now.schema, now.table, was, column.name);
    if (!named)
        throw stop_error(fmt::format("{}which {} does not name", what, file_of(rules)),
                         fmt::format("Give '{}' the rule that its values need, or {{type: keep, column: ...}} if they "
                                     "may pass, with was: {}; and start again.",
                                     column.name, was));
    throw stop_error(fmt::format("{}and {} has rules for a column that had this name before", what, file_of(rules)),
                     fmt::format("Give '{}' the rule that the values of '{}' need, add was: {} to it, and start again.",
                                 column.name, was, was));
}

// Added columns come last: one that is now before the rule's column and was not may be that column under another name,
// and so may one that was before it and no longer is.
bool moved(const Relation& before, const Relation& now, const std::string& other, const std::string& ruled) {
    const auto was = position(before, other);
    const bool was_before = was && *was < *position(before, ruled);
    const bool is_before = *position(now, other) < *position(now, ruled);
    return is_before ? !was_before : was_before;
}

[[noreturn]] void refuse_place(const Relation& now, const TableRules& rules, const std::string& ruled,
                               const std::string& other) {
    throw stop_error(
        fmt::format(
            "unable to continue table '{}.{}': its columns were renamed or re-created, and what was '{}' may now "
            "be '{}', which {} does not name",
            now.schema, now.table, ruled, other, file_of(rules)),
        fmt::format("Give '{}' the rule that its values need, or {{type: keep, column: ...}} if they may pass, and "
                    "start again.",
                    other));
}

// Names and places of columns must do.
void check_place(const Relation& before, const Relation& now, const TableRules& rules, const std::string& ruled) {
    if (!position(before, ruled)) return;
    for (const Column& other : now.columns) {
        if (other.name == ruled || is_named(rules, other.name)) continue;
        const bool may_be =
            position(now, ruled) ? moved(before, now, other.name, ruled) : !position(before, other.name);
        if (may_be) refuse_place(now, rules, ruled, other.name);
    }
}

bool hides_something(const TableRules& rules) {
    return std::ranges::any_of(rules.rules, [](const Rule& rule) {
        return rule.kind == Rule::Kind::transform || rule.kind == Rule::Kind::exclude;
    });
}

// One with a number below those that rows have had was there, and did not come with them: it was generated, perhaps
// from what the rules hide.
void check_unsent(const PastDefinition& before, const Relation& now, const TableRules& rules) {
    if (before.names.empty() || rules.strict || !hides_something(rules)) return;
    const std::int16_t last = before.names.rbegin()->first;
    for (const Column& column : now.columns) {
        if (column.number == 0 || column.number > last || before.names.contains(column.number)) continue;
        if (is_named(rules, column.name)) continue;
        throw stop_error(
            fmt::format("unable to continue table '{}.{}': its column '{}' did not come with rows before, as one that "
                        "is generated from others, and {} does not name it",
                        now.schema, now.table, column.name, file_of(rules)),
            fmt::format("Give '{}' the rule that its values need, or {{type: keep, column: ...}} if they may pass, and "
                        "start again.",
                        column.name));
    }
}

void check_order(const Relation& before, const Relation& now, const Rule& rule, const std::string& column,
                 const Condition& condition) {
    if (!is_order(condition.op) || rule.allow_type_change) return;
    const auto was = position(before, column);
    const auto is = position(now, column);
    if (!was || !is) return;
    const Column& old_column = before.columns[*was];
    const Column& new_column = now.columns[*is];
    if (value_type(old_column) == value_type(new_column)) return;
    throw stop_error(fmt::format("unable to apply {}: the column {}was {} and is now {}, which sorts differently",
                                 rule.place.text(), column == rule.column ? "" : fmt::format("'{}' ", column),
                                 old_column.type_name, new_column.type_name),
                     "Correct the value for the new type, then set allow_type_change: true.");
}

}  // namespace

void check_redefined(const PastDefinition& before, const Relation& now, const TableRules& rules,
                     const std::vector<std::string>& ruled) {
    for (const Column& column : now.columns) {
        const auto last = before.names.find(column.number);
        if (last == before.names.end()) continue;
        const bool taken =
            std::ranges::any_of(before.names, [&](const auto& one) { return one.second == column.name; });
        check_renamed(last->second, taken, now, rules, ruled, column);
    }
    check_unsent(before, now, rules);
    const bool exact = is_numbered(before.relation) && is_numbered(now);
    if (!exact)
        for (const std::string& column : ruled) check_place(before.relation, now, rules, column);
    for (const Rule& rule : rules.rules) {
        if (rule.condition) check_order(before.relation, now, rule, rule.column, *rule.condition);
        for (const auto& [column, condition] : rule.when) check_order(before.relation, now, rule, column, condition);
    }
}

void check_known(const Relation& known, const Relation& now, const TableRules& rules,
                 const std::vector<std::string>& ruled) {
    if (!is_numbered(known) || !is_numbered(now)) return;
    for (const Column& column : now.columns) {
        const auto there = std::ranges::find(known.columns, column.number, &Column::number);
        if (there != known.columns.end()) check_renamed(there->name, false, now, rules, ruled, column);
    }
}

void check_partition(const PastDefinition& sibling, const Relation& now, const TableRules& rules) {
    for (const std::string& ruled : sibling.ruled) {
        const auto place = position(now, ruled);
        for (std::size_t i = 0; place && i < *place; ++i) {
            const std::string& other = now.columns[i].name;
            if (!position(sibling.relation, other) && !is_named(rules, other)) refuse_place(now, rules, ruled, other);
        }
    }
}

}  // namespace pgsluice::rules
