#include "rules/rows/filter_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "rules/rows/known_values.h"
#include "rules/rows/readable.h"

namespace pgsluice::rules {
namespace {

Verdict verdict(bool passes) { return passes ? Verdict::pass : Verdict::fail; }

// `value` is the source's; an unchanged one is not known.
Verdict judge(const FilterStep& step, Value value, Arena& arena) {
    if (value.is_unchanged()) return Verdict::unknown;
    for (const TransformStep& before : step.before) value = transformed(before, value, arena);
    if (step.op == Operator::is_null) return verdict(value.is_null());
    if (step.op == Operator::sampled && value.is_null()) return Verdict::pass;
    if (step.op == Operator::not_null || value.is_null()) return verdict(!value.is_null());
    const std::string_view text = readable(value, step.type, step.predicate->reads_text(), step.place);
    try {
        return verdict(step.predicate->passes(text));
    } catch (const Unreadable& unreadable) {
        stop(step.place, fmt::format("of the value: {}", unreadable.reason));
    }
}

// An unchanged TOAST value is not known, but it is not NULL.
Verdict judge_toast(const FilterStep& step) {
    if (!step.before.empty()) return Verdict::unknown;
    if (step.op == Operator::is_null) return Verdict::fail;
    return step.op == Operator::not_null ? Verdict::pass : Verdict::unknown;
}

// NULL is as false.
template <typename Known>
Verdict judge_expression(const FilterStep& step, const Change& change, Arena& arena, Known value_of) {
    const auto row = arena.make<Value>(change.relation->columns.size());
    for (const std::size_t column : step.expression->columns()) {
        const std::optional<Value> value = value_of(change, column);
        if (!value) return Verdict::unknown;
        row[column] = *value;
    }
    try {
        const SqlValue result = step.expression->compute(row);
        return verdict(!result.null && result.number != 0);
    } catch (const Unreadable& unreadable) {
        stop(step.place, fmt::format("in the expression: {}", unreadable.reason),
             "Correct the expression, or the row in the source.");
    }
}

Verdict judge_new(const FilterStep& step, const Change& change, Arena& arena) {
    if (step.expression != nullptr) return judge_expression(step, change, arena, new_value);
    const Value& value = change.new_row[step.column];
    if (!value.is_unchanged()) return judge(step, value, arena);
    return in_old_row(change, step.column) ? judge(step, change.old_row[step.column], arena) : judge_toast(step);
}

}  // namespace

std::string filter_hint(const Relation& table) { return full_identity_hint(table, "what the filter needs"); }

Verdict judge_old(const FilterStep& step, const Change& change, Arena& arena) {
    if (step.expression != nullptr) return judge_expression(step, change, arena, old_value);
    if (in_old_row(change, step.column)) return judge(step, change.old_row[step.column], arena);
    if (change.op != Op::update) return Verdict::unknown;
    // Without an old row the key did not change; an unchanged TOAST value is the old one.
    const bool same = change.old_kind == OldRow::none && change.relation->columns[step.column].key;
    return same || change.new_row[step.column].is_unchanged() ? judge_new(step, change, arena) : Verdict::unknown;
}

// The row does not pass if any filter fails, whatever others do not know.
Verdict judge_new_row(std::span<const FilterStep> filters, const Change& change, Arena& arena) {
    const FilterStep* blind = nullptr;
    for (const FilterStep& filter : filters) {
        const Verdict one = judge_new(filter, change, arena);
        if (one == Verdict::fail) return one;
        if (one == Verdict::unknown) blind = &filter;
    }
    if (blind != nullptr)
        stop(blind->place, "the update did not touch the filtered value, so the WAL does not hold it (TOAST)",
             filter_hint(*change.relation));
    return Verdict::pass;
}

Verdict judge_old_row(std::span<const FilterStep> filters, const Change& change, Arena& arena) {
    Verdict all = Verdict::pass;
    for (const FilterStep& filter : filters) all = std::min(all, judge_old(filter, change, arena));
    return all;
}

bool same_filter(const FilterStep& a, const FilterStep& b) {
    return a.expression == b.expression && a.column == b.column && a.op == b.op && a.predicate == b.predicate &&
           std::equal(a.before.begin(), a.before.end(), b.before.begin(), b.before.end(),
                      [](const TransformStep& x, const TransformStep& y) { return x.transform == y.transform; });
}

}  // namespace pgsluice::rules
