#include "rules/rows/computed_values.h"

#include <fmt/format.h>

#include <algorithm>

#include "rules/rows/known_values.h"

namespace pgsluice::rules {
namespace {

[[noreturn]] void stop(const ComputedStep& step, std::string_view reason, std::string hint) {
    throw stop_error(fmt::format("unable to apply {}: {}", step.place.text(), reason), std::move(hint));
}

Value value_of(const ComputedStep& step, Row row, Arena& arena) {
    try {
        const SqlValue value = step.expression->compute(row);
        return value.null ? Value() : Value(arena.copy(print_value(value, step.expression->type())));
    } catch (const Unreadable& unreadable) {
        stop(step, fmt::format("in the expression: {}", unreadable.reason),
             "Correct the expression so that it has a value for this row, too.");
    }
}

[[noreturn]] void refuse_toast(const ComputedStep& step, const Relation& relation, std::size_t input) {
    stop(step,
         fmt::format("the update of {}.{} did not touch column '{}', so the WAL does not hold its value (TOAST), and "
                     "another column of the expression may have changed",
                     relation.schema, relation.table, relation.columns[input].name),
         full_identity_hint(relation, "what the expression needs"));
}

}  // namespace

void compute_new(std::span<const ComputedStep> steps, const Change& change, std::span<Value> target, Arena& arena) {
    if (steps.empty()) return;
    const auto row = arena.make<Value>(change.new_row.size());
    for (const ComputedStep& step : steps) {
        const std::vector<std::size_t>& inputs = step.expression->columns();
        for (const std::size_t input : inputs) row[input] = new_value(change, input).value_or(Value::unchanged());
        try {
            target[step.target] = value_of(step, row, arena);
        } catch (const NotKnown& missing) {
            if (!std::ranges::all_of(inputs, [&](std::size_t input) { return stays(change, input); }))
                refuse_toast(step, *change.relation, missing.column);
            target[step.target] = Value::unchanged();
        }
    }
}

void compute_old(std::span<const ComputedStep> steps, Row source, std::span<Value> target, Arena& arena) {
    for (const ComputedStep& step : steps) {
        try {
            target[step.target] = value_of(step, source, arena);
        } catch (const NotKnown&) {
            target[step.target] = Value::unchanged();
        }
    }
}

}  // namespace pgsluice::rules
