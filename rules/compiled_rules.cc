#include "rules/compiled_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>

#include "rules/known_values.h"
#include "stream/format/copy_text.h"
#include "stream/format/utf8.h"

namespace pgsluice::rules {
namespace {

Verdict verdict(bool passes) { return passes ? Verdict::pass : Verdict::fail; }

[[noreturn]] void stop(const Place& place, std::string_view reason, std::string hint = {}) {
    throw stop_error(fmt::format("unable to apply {}: {}", place.text(), reason), std::move(hint));
}

[[noreturn]] void not_utf8(const Place& place) {
    stop(place, "the rule reads text, but the value is not valid UTF-8",
         "Exclude the column. Or correct the row in the source and start the group over: remove it with pgsluice "
         "teardown --yes and start it again with --copy-and-stream.");
}

std::string filter_hint(const Relation& table) { return full_identity_hint(table, "what the filter needs"); }

std::string_view readable(const Value& value, ValueType type, bool reads_text, const Place& place) {
    std::string_view text = value.text();
    if (type == ValueType::padded_text) text = text.substr(0, text.find_last_not_of(' ') + 1);
    if (reads_text && !is_utf8(text)) not_utf8(place);
    return text;
}

// What the transform goes by: another column's value, as the source has it, or where that is NULL the value itself.
std::string_view subject_of(const TransformStep& step, std::string_view text, Row source) {
    const Value& subject = source[step.subject];
    if (subject.is_unchanged())
        stop(step.place, fmt::format("the update did not touch column '{}', which it goes by, so the WAL does not hold "
                                     "that value (TOAST)",
                                     step.transform->subject()));
    if (subject.is_null()) return text;
    return subject.text().substr(0, subject.text().find_last_not_of(' ') + 1);  // a char(n) is as a varchar
}

// `source` is the row it is of, before any rule; filters, whose transforms go by nothing else, leave it out.
Value transformed(const TransformStep& step, const Value& value, Arena& arena, Row source = {}) {
    if (value.is_unchanged()) return value;
    if (value.is_null()) return step.transform->for_null(step.type);
    const std::string_view text = readable(value, step.type, step.transform->reads_text(), step.place);
    try {
        if (step.subject == TransformStep::no_subject) return step.transform->apply(text, step.type, arena);
        return step.transform->apply_for(text, subject_of(step, text, source), arena);
    } catch (const Unreadable& unreadable) {
        stop(step.place, unreadable.reason);
    }
}

// `value` is the source's; an unchanged one is not known.
Verdict judge(const FilterStep& step, Value value, Arena& arena) {
    if (value.is_unchanged()) return Verdict::unknown;
    for (const TransformStep& before : step.before) value = transformed(before, value, arena);
    if (step.op == Operator::is_null) return verdict(value.is_null());
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

Verdict judge_old(const FilterStep& step, const Change& change, Arena& arena) {
    if (step.expression != nullptr) return judge_expression(step, change, arena, old_value);
    if (in_old_row(change, step.column)) return judge(step, change.old_row[step.column], arena);
    if (change.op != Op::update) return Verdict::unknown;
    // Without an old row the key did not change; an unchanged TOAST value is the old one.
    const bool same = change.old_kind == OldRow::none && change.relation->columns[step.column].key;
    return same || change.new_row[step.column].is_unchanged() ? judge_new(step, change, arena) : Verdict::unknown;
}

// The row does not pass if any filter fails, whatever others do not know.
Verdict judge_new_row(const std::vector<FilterStep>& filters, const Change& change, Arena& arena) {
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

Verdict judge_old_row(const std::vector<FilterStep>& filters, const Change& change, Arena& arena) {
    Verdict all = Verdict::pass;
    for (const FilterStep& filter : filters) all = std::min(all, judge_old(filter, change, arena));
    return all;
}

bool same_steps(const std::vector<TransformStep>& a, const std::vector<TransformStep>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const TransformStep& x, const TransformStep& y) {
        return x.target == y.target && x.transform == y.transform;
    });
}

bool same_filter(const FilterStep& a, const FilterStep& b) {
    return a.expression == b.expression && a.column == b.column && a.op == b.op && a.predicate == b.predicate &&
           std::equal(a.before.begin(), a.before.end(), b.before.begin(), b.before.end(),
                      [](const TransformStep& x, const TransformStep& y) { return x.transform == y.transform; });
}

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

bool leaves_rows(const CompiledParts& parts, const std::vector<TransformStep>& steps) {
    return steps.empty() && parts.projection.empty() && parts.computed.empty() &&
           parts.target->keeping.constants.empty();
}

// `key_only`: the other columns hold no values and get none.
std::span<Value> rewrite(const CompiledParts& parts, const std::vector<TransformStep>& steps, Row row, bool key_only,
                         Arena& arena) {
    const std::span out = copy_columns(row, parts, arena);
    for (const TransformStep& step : steps)
        if (!key_only || step.key) out[step.target] = transformed(step, out[step.target], arena, row);
    return out;
}

// Before the old row is, which may hold what this one lacks.
void rewrite_new(const CompiledParts& parts, const std::vector<TransformStep>& steps, Change& change, Arena& arena) {
    if (leaves_rows(parts, steps)) return;
    const std::span out = rewrite(parts, steps, change.new_row, false, arena);
    compute_new(parts.computed, change, out, arena);
    change.new_row = out;
}

void rewrite_old(const CompiledParts& parts, const std::vector<TransformStep>& steps, Change& change, Arena& arena) {
    if (change.old_kind == OldRow::none || leaves_rows(parts, steps)) return;
    const bool key_only = change.old_kind == OldRow::key;
    const std::span out = rewrite(parts, steps, change.old_row, key_only, arena);
    if (!key_only) compute_old(parts.computed, change.old_row, out, arena);
    change.old_row = out;
}

// As a line of COPY text begins.
std::string copy_text_of(const std::vector<std::string>& constants) {
    std::vector<Value> values;
    for (const std::string& constant : constants) values.emplace_back(std::string_view(constant));
    std::string text;
    append_copy_line(text, values);
    text.back() = '\t';
    return text;
}

// A shape that does not fit the relation would put values under wrong columns, and so under wrong rules.
void check_shape(const CompiledParts& parts, const Change& change) {
    const std::size_t columns = parts.source->columns.size();
    const bool has_new = change.op != Op::del;
    const bool has_old = change.old_kind != OldRow::none;
    if ((has_new && change.new_row.size() != columns) || (has_old && change.old_row.size() != columns))
        throw stop_error(
            fmt::format("unable to apply the rules to a row of '{}.{}': it does not have the relation's {} columns",
                        parts.source->schema, parts.source->table, columns));
}

}  // namespace

CompiledRules::CompiledRules(CompiledParts parts) : parts_(std::move(parts)) {
    const Stages& s = parts_.stages;
    const bool same_columns = parts_.projection.empty() && parts_.computed.empty();
    const bool all_rows = parts_.operations.all(row_operations);
    same_filters_ = std::equal(s.insert_filters.begin(), s.insert_filters.end(), s.update_filters.begin(),
                               s.update_filters.end(), same_filter);
    depends_on_operation_ = !same_filters_ || !same_steps(s.insert, s.update);
    const std::vector<std::string>& constants = parts_.target->keeping.constants;
    const bool passes =
        same_columns && parts_.operations.has(Op::insert) && s.insert_filters.empty() && s.insert.empty();
    passes_copy_ = passes && constants.empty();
    if (passes && !constants.empty() && !parts_.source->columns.empty()) copy_prefix_ = copy_text_of(constants);
    identity_ = passes_copy_ && all_rows && s.update_filters.empty() && s.delete_filters.empty() && s.update.empty() &&
                s.del.empty();
}

bool CompiledRules::knows_old_rows() const {
    const Relation& source = *parts_.source;
    const auto known = [&](const FilterStep& filter) {
        if (filter.expression == nullptr) return source.columns[filter.column].key;
        return std::ranges::all_of(filter.expression->columns(), [&](std::size_t i) { return source.columns[i].key; });
    };
    const Stages& s = parts_.stages;
    if (s.update_filters.empty() && s.insert_filters.empty()) return true;
    return same_filters_ && (source.identity == ReplicaIdentity::full || std::ranges::all_of(s.update_filters, known));
}

bool CompiledRules::writes(std::size_t target_column) const {
    const auto is_it = [target_column](const TransformStep& step) { return step.target == target_column; };
    return std::any_of(parts_.stages.insert.begin(), parts_.stages.insert.end(), is_it) ||
           std::any_of(parts_.stages.update.begin(), parts_.stages.update.end(), is_it) ||
           std::ranges::find(parts_.computed, target_column, &ComputedStep::target) != parts_.computed.end();
}

bool CompiledRules::apply(Change& change, Arena& arena) const {
    if (identity_) {
        if (change.op != Op::message) change.relation = parts_.target.get();
        return true;
    }
    switch (change.op) {
        case Op::message:
            return true;
        case Op::truncate:
            throw std::logic_error("a truncate is for Ruleset::apply_truncate");
        default:
            break;
    }
    if (!parts_.operations.has(change.op)) return false;
    check_shape(parts_, change);
    const bool passes = change.op == Op::insert   ? insert(change, arena)
                        : change.op == Op::update ? update(change, arena)
                                                  : del(change, arena);
    change.relation = parts_.target.get();
    return passes;
}

// The row came by an insert or by an update, and it is not known by which: what only one of them lets pass may or may
// not be there.
Verdict CompiledRules::was_there(const Change& change, Arena& arena) const {
    const Verdict updated = judge_old_row(parts_.stages.update_filters, change, arena);
    if (same_filters_) return updated;
    const Verdict inserted = judge_old_row(parts_.stages.insert_filters, change, arena);
    return inserted == updated ? inserted : Verdict::unknown;
}

bool CompiledRules::insert(Change& change, Arena& arena) const {
    if (judge_new_row(parts_.stages.insert_filters, change, arena) == Verdict::fail) return false;
    rewrite_new(parts_, parts_.stages.insert, change, arena);
    return true;
}

bool CompiledRules::update(Change& change, Arena& arena) const {
    const Stages& stages = parts_.stages;
    if (!stages.update_filters.empty() || !stages.insert_filters.empty()) {
        const Verdict now = judge_new_row(stages.update_filters, change, arena);
        const Verdict before = was_there(change, arena);
        if (now == Verdict::fail) return before != Verdict::fail && leave(change, arena);
        if (before == Verdict::fail) return enter(change, arena);
        change.upsert = before == Verdict::unknown;
    }
    // A row that may be new in the target must not show there what an insert would hide.
    rewrite_new(parts_, change.upsert ? stages.entered : stages.update, change, arena);
    rewrite_old(parts_, stages.update, change, arena);
    return true;
}

// The row was not in the target: it is inserted, and so must be known as a whole.
bool CompiledRules::enter(Change& change, Arena& arena) const {
    if (!parts_.operations.has(Op::insert)) return false;
    const Row row = change.new_row;
    if (std::any_of(row.begin(), row.end(), [](const Value& value) { return value.is_unchanged(); })) {
        const auto filled = arena.make<Value>(row.size());
        for (std::size_t i = 0; i < row.size(); ++i) {
            filled[i] = row[i].is_unchanged() && in_old_row(change, i) ? change.old_row[i] : row[i];
            if (filled[i].is_unchanged())
                stop(parts_.stages.update_filters[0].place,
                     "the row passes the filter only since the update, but the WAL does not hold all of it (TOAST)",
                     filter_hint(*parts_.source));
        }
        change.new_row = filled;
    }
    change.op = Op::insert;
    change.old_kind = OldRow::none;
    change.old_row = {};
    rewrite_new(parts_, parts_.stages.entered, change, arena);
    return true;
}

// The row is, or may be, in the target and does not belong there any more: it is deleted, by its key where no more is
// known.
bool CompiledRules::leave(Change& change, Arena& arena) const {
    if (!parts_.operations.has(Op::del)) return false;
    if (change.old_kind == OldRow::none) {
        const auto key = arena.make<Value>(change.new_row.size());
        bool known = false;
        for (std::size_t i = 0; i < key.size(); ++i) {
            if (!parts_.source->columns[i].key) continue;
            key[i] = change.new_row[i];
            known = !key[i].is_unchanged();
            if (!known) break;
        }
        if (!known)
            stop(parts_.stages.update_filters[0].place,
                 "after the update the row no longer passes the filter, but its key is not known",
                 "Give the table a primary key or REPLICA IDENTITY FULL.");
        change.old_row = key;
        change.old_kind = OldRow::key;
    }
    change.op = Op::del;
    change.new_row = {};
    rewrite_old(parts_, parts_.stages.left, change, arena);
    return true;
}

bool CompiledRules::del(Change& change, Arena& arena) const {
    for (const FilterStep& filter : parts_.stages.delete_filters) {
        const Verdict one = judge_old(filter, change, arena);
        if (one == Verdict::fail || (one == Verdict::unknown && !filter.allow_empty_deletes)) return false;
    }
    rewrite_old(parts_, parts_.stages.del, change, arena);
    return true;
}

bool rewrote(const Change& source, const Change& passed) {
    const auto differs = [](Row was, Row is) { return was.data() != is.data() && !std::ranges::equal(was, is); };
    return source.op != passed.op || differs(source.new_row, passed.new_row) || differs(source.old_row, passed.old_row);
}

}  // namespace pgsluice::rules
