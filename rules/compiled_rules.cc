#include "rules/compiled_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "rules/rows/known_values.h"
#include "rules/rows/readable.h"
#include "rules/rows/row_rewriting.h"
#include "stream/format/copy_text.h"

namespace pgsluice::rules {
namespace {

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
