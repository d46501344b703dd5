#include "rules/rows/row_rewriting.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <new>
#include <optional>

#include "rules/rows/known_values.h"
#include "rules/rows/readable.h"

namespace pgsluice::rules {
namespace {

std::span<Value> copy_columns(Row row, const CompiledParts& parts, Arena& arena) {
    const auto& projection = parts.projection;
    const auto& constants = parts.target->keeping.constants;
    const std::size_t columns = projection.empty() ? row.size() : projection.size();
    const std::size_t all = parts.target->columns.size();
    auto* out = reinterpret_cast<Value*>(arena.allocate(all * sizeof(Value)));
    Value* next = out;
    for (const std::string& constant : constants) new (next++) Value(std::string_view(constant));
    if (projection.empty()) {
        std::uninitialized_copy(row.begin(), row.end(), next);
    } else {
        for (std::size_t i = 0; i < columns; ++i) new (next + i) Value(row[projection[i]]);
    }
    std::uninitialized_fill(next + columns, out + all, Value());
    return {out, all};
}

bool leaves_rows(const CompiledParts& parts, std::span<const TransformStep> steps) {
    return steps.empty() && parts.projection.empty() && parts.computed.empty() &&
           parts.target->keeping.constants.empty();
}

// ---- transforms, some of which depend on more of the row than the value

// The new row, with what the old row knows of its unchanged values.
Row known_row(const Change& change, Arena& arena) {
    const Row row = change.new_row;
    if (std::ranges::none_of(row, [](const Value& value) { return value.is_unchanged(); })) return row;
    const auto known = arena.make<Value>(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) known[i] = new_value(change, i).value_or(Value::unchanged());
    return known;
}

// The row before an update, where its values are known or were not touched.
Row known_old_row(const Change& change, Arena& arena) {
    const auto known = arena.make<Value>(change.new_row.size());
    for (std::size_t i = 0; i < known.size(); ++i) known[i] = old_value(change, i).value_or(Value::unchanged());
    return known;
}

bool applies(const TransformStep& step, const CompiledParts& parts, Row source) {
    if (step.when == nullptr) return true;
    const std::optional<bool> answer = step.when->applies_to(source);
    if (!answer)
        stop(step.place, "the update did not touch a value that 'when' reads, so the WAL does not hold it (TOAST)",
             full_identity_hint(*parts.source, "what 'when' reads"));
    return *answer;
}

// Whether it is certain that a rule which applied to the row before the update still does, or still does not.
bool applies_as_before(const When& when, const Change& change, Row source, Arena& arena) {
    bool all_stay = true;
    for (const When::Term& term : when.terms()) {
        const bool same = stays(change, term.column);
        if (!same && !old_value(change, term.column)) return false;
        all_stay = all_stay && same;
    }
    if (all_stay) return true;
    const std::optional<bool> now = when.applies_to(source);
    return now.has_value() && now == when.applies_to(known_old_row(change, arena));
}

// What the WAL does not hold is in the target as the rules made it before. Where they may make another value of it now,
// it must be known.
void fill_unchanged(const CompiledParts& parts, std::span<const TransformStep> steps, const Change& change, Row source,
                    std::span<Value> out, Arena& arena) {
    for (const TransformStep& step : steps) {
        Value& value = out[step.target];
        if (!value.is_unchanged()) continue;
        const bool same_subject = step.subject == TransformStep::no_subject || stays(change, step.subject);
        const bool same_answer = step.when == nullptr || applies_as_before(*step.when, change, source, arena);
        if (same_subject && same_answer) continue;
        value = source[step.column];
        if (value.is_unchanged())
            stop(step.place,
                 fmt::format("the update may have changed what '{}' reads, and did not touch the column, so the WAL "
                             "does not hold the value (TOAST)",
                             same_answer ? "by" : "when"),
                 full_identity_hint(*parts.source, "the value"));
    }
}

// `source`: the row before any rule, as far as it is known. `key_only`: the other columns hold no values and get none.
void rewrite(const CompiledParts& parts, std::span<const TransformStep> steps, Row source, bool key_only,
             std::span<Value> out, Arena& arena) {
    for (const TransformStep& step : steps) {
        Value& value = out[step.target];
        if ((key_only && !step.key) || value.is_unchanged() || !step.inputs.empty()) continue;
        if (applies(step, parts, source)) value = transformed(step, value, arena, source);
    }
}

// ---- templates, which are made of what the other rules have left of the row

bool has_templates(std::span<const TransformStep> steps) {
    return std::ranges::any_of(steps, [](const TransformStep& step) { return !step.inputs.empty(); });
}

std::size_t place_in_target(const CompiledParts& parts, std::size_t column) {
    const std::size_t constants = parts.target->keeping.constants.size();
    if (parts.projection.empty()) return constants + column;
    const auto at = std::ranges::lower_bound(parts.projection, column);
    return constants + static_cast<std::size_t>(at - parts.projection.begin());
}

// Whether what the step reads is certainly what it was before the update.
bool reads_what_it_did(std::span<const TransformStep> steps, const TransformStep& step, const Change& change,
                       Row source, Arena& arena) {
    const auto same_rule = [&](const TransformStep& one) {
        const bool same_subject = one.subject == TransformStep::no_subject || stays(change, one.subject);
        return same_subject && (one.when == nullptr || applies_as_before(*one.when, change, source, arena));
    };
    const auto same_input = [&](std::size_t input) {
        return stays(change, input) && std::ranges::all_of(steps, [&](const TransformStep& one) {
                   return one.column != input || same_rule(one);
               });
    };
    return stays(change, step.column) && same_rule(step) && std::ranges::all_of(step.inputs, same_input);
}

// Nothing where one of them is not known.
std::optional<Value> composed(const CompiledParts& parts, const TransformStep& step, Row made, Arena& arena) {
    const auto inputs = arena.make<Value>(step.inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        inputs[i] = made[place_in_target(parts, step.inputs[i])];
        if (inputs[i].is_unchanged()) return std::nullopt;
        const ValueType type = value_type(parts.source->columns[step.inputs[i]]);
        if (inputs[i].is_text()) inputs[i] = Value(readable(inputs[i], type, true, step.place));
    }
    try {
        return step.transform->compose(inputs, arena);
    } catch (const Unreadable& unreadable) {
        stop(step.place, unreadable.reason);
    }
}

// `made`: the target's row with all that is known of it. NULL stays NULL.
void compose_new(const CompiledParts& parts, std::span<const TransformStep> steps, const Change& change, Row source,
                 Row made, std::span<Value> out, Arena& arena) {
    for (const TransformStep& step : steps) {
        if (step.inputs.empty() || source[step.column].is_null() || !applies(step, parts, source)) continue;
        if (const std::optional<Value> value = composed(parts, step, made, arena)) {
            out[step.target] = *value;
        } else if (change.op == Op::update && reads_what_it_did(steps, step, change, source, arena)) {
            out[step.target] = Value::unchanged();
        } else {
            stop(step.place,
                 "the update did not touch a column of the template, so the WAL does not hold its value (TOAST), and "
                 "another one may have changed",
                 full_identity_hint(*parts.source, "what the template needs"));
        }
    }
}

void compose_old(const CompiledParts& parts, std::span<const TransformStep> steps, Row source, std::span<Value> out,
                 Arena& arena) {
    for (const TransformStep& step : steps) {
        if (step.inputs.empty() || source[step.column].is_null() || !applies(step, parts, source)) continue;
        out[step.target] = composed(parts, step, out, arena).value_or(Value::unchanged());
    }
}

// The same as `out`, with what is unchanged in it but known from the old row.
Row with_known(const CompiledParts& parts, std::span<const TransformStep> steps, Row source, std::span<Value> out,
               Arena& arena) {
    if (std::ranges::none_of(out, [](const Value& value) { return value.is_unchanged(); })) return out;
    const std::span made = copy_columns(source, parts, arena);
    rewrite(parts, steps, source, false, made, arena);
    return made;
}

}  // namespace

void rewrite_new(const CompiledParts& parts, std::span<const TransformStep> steps, Change& change, Arena& arena) {
    if (leaves_rows(parts, steps)) return;
    const std::span out = copy_columns(change.new_row, parts, arena);
    const bool reads_row = std::ranges::any_of(steps, &TransformStep::reads_row);
    const Row source = reads_row ? known_row(change, arena) : change.new_row;
    if (reads_row) fill_unchanged(parts, steps, change, source, out, arena);
    rewrite(parts, steps, source, false, out, arena);
    if (has_templates(steps))
        compose_new(parts, steps, change, source, with_known(parts, steps, source, out, arena), out, arena);
    compute_new(parts.computed, change, out, arena);
    change.new_row = out;
}

void rewrite_old(const CompiledParts& parts, std::span<const TransformStep> steps, Change& change, Arena& arena) {
    if (change.old_kind == OldRow::none || leaves_rows(parts, steps)) return;
    const bool key_only = change.old_kind == OldRow::key;
    const std::span out = copy_columns(change.old_row, parts, arena);
    rewrite(parts, steps, change.old_row, key_only, out, arena);
    if (!key_only) compose_old(parts, steps, change.old_row, out, arena);
    if (!key_only) compute_old(parts.computed, change.old_row, out, arena);
    change.old_row = out;
}

}  // namespace pgsluice::rules
