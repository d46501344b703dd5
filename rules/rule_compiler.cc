#include "rules/rule_compiler.h"

#include <fmt/format.h>

#include <algorithm>

#include "rules/made_like.h"
#include "rules/named_columns.h"
#include "rules/personal/column_names.h"
#include "rules/target_shape.h"
#include "rules/transforms/row/template.h"
#include "stream/full_name.h"

namespace pgsluice::rules {
namespace {

// Whether the server may store one beside its row (TOAST). Of a numeric that would take thousands of digits.
bool may_be_long(ValueType type) {
    return is_text(type) || type == ValueType::bytea || type == ValueType::json || type == ValueType::array ||
           type == ValueType::other;
}

class Compiler {
   public:
    explicit Compiler(const CompilerInput& input) : in_(input), relation_(*input.relation) {
        parts_.source = input.relation;
        if (in_.route != nullptr) parts_.operations = in_.route->operations;
        needed_ = parts_.operations & row_operations;
    }

    CompiledParts compile() {
        check_strict();
        take_shape();
        if (in_.route != nullptr && !in_.route->where.text.empty()) add_where(in_.route->where);
        if (in_.rules != nullptr)
            for (const Rule& rule : in_.rules->rules)
                if (!is_of_former(rule)) add(rule);
        if (!strict()) warn_of_unnamed();
        warn_of_stale_values();
        return std::move(parts_);
    }

   private:
    // It was inherited by a column that is no more, or has another name. What was hidden of it stays so, or the table's
    // memory says otherwise (rules/redefined.h).
    [[nodiscard]] bool is_of_former(const Rule& rule) const {
        return !rule.inherited_from.empty() &&
               std::ranges::find(relation_.columns, rule.column, &Column::name) == relation_.columns.end();
    }

    [[nodiscard]] bool full() const { return relation_.identity == ReplicaIdentity::full; }

    void note(std::string line) { parts_.description.push_back(std::move(line)); }

    void take_shape() {
        TargetShape shape = target_shape(in_, needed_);
        parts_.target = std::move(shape.target);
        parts_.projection = std::move(shape.projection);
        parts_.computed = std::move(shape.computed);
        parts_.description = std::move(shape.description);
        position_ = std::move(shape.position);
        excluded_ = std::move(shape.excluded);
    }

    // ---- strict

    [[nodiscard]] bool strict() const {
        return in_.rules != nullptr ? in_.rules->strict : in_.file != nullptr && in_.file->strict;
    }

    void warn_of_unnamed() {
        if (in_.file == nullptr) return;
        std::string warning = warning_of_unnamed(*in_.file, in_.rules, relation_, needed_);
        if (!warning.empty()) parts_.warnings.push_back(std::move(warning));
        if (in_.rules != nullptr) return;
        warning = warning_of_likeness(relation_, *in_.file, in_.tables);
        if (!warning.empty()) parts_.warnings.push_back(std::move(warning));
    }

    void check_strict() const {
        if (!strict()) return;
        if (in_.rules == nullptr)
            throw refuse(
                {in_.file->path, 0, {}, 0, {}},
                fmt::format("mode is strict, and no rules name the table {}", full_name(relation_)),
                "Name its columns (type: keep for those that may pass), or set 'replicate: false' in its route.");
        for (const Column& column : relation_.columns) check_named(column);
    }

    void check_named(const Column& column) const {
        if (is_named(*in_.rules, column, needed_)) return;
        Place place = in_.rules->place;
        place.column = column.name;
        const PersonalKind kind = kind_by_name(relation_, column);
        const std::string looks =
            kind == PersonalKind::none ? "" : fmt::format(" By its name and type it may be {}.", what(kind));
        if (is_conditional(*in_.rules, column))
            throw refuse(place, "mode is strict, and a transform with 'when' names the column for some rows only",
                         "Add {type: keep, column: ...} if the values of other rows may pass." + looks);
        throw refuse(place,
                     "mode is strict, and no transform, exclude_column or keep names the column for all operations",
                     "Add {type: keep, column: ...} if it may pass." + looks);
    }

    // ---- rules

    void add(const Rule& rule) {
        const std::size_t column = column_of(relation_, rule.column, rule.place);
        switch (rule.kind) {
            case Rule::Kind::keep:
                note(fmt::format("keep {}", rule.column));
                break;
            case Rule::Kind::exclude:
                note(fmt::format("exclude {}{}", rule.column, rule.by_list ? ", which 'only' does not list" : ""));
                break;
            case Rule::Kind::transform:
                add_transform(rule, column);
                break;
            case Rule::Kind::filter:
                if (!rule.by_list) add_filter(rule, column);
                break;
        }
    }

    void note_rule(const Rule& rule, const std::string& what) {
        const bool all = rule.operations.all(row_operations);
        note(all ? what : fmt::format("{} on {}", what, rule.operations.text()));
    }

    void add_transform(const Rule& rule, std::size_t column) {
        const Column& source = relation_.columns[column];
        auto when = when_of(rule, source);
        check_transform(rule, column);
        const ValueType type = value_type(source);
        auto fitted = rule.transform->for_column(source, type);
        if (fitted == nullptr) fitted = rule.transform;
        const TransformStep step{column,
                                 position_[column],
                                 source.key,
                                 type,
                                 std::move(fitted),
                                 rule.place,
                                 subject_of(rule, source),
                                 std::move(when),
                                 inputs_of(rule, column)};
        transforms_.push_back({step, rule.operations});
        note_rule(rule, fmt::format("{}: {}{}{}", rule.column, rule.transform->describe(), describe(rule.when),
                                    as_inherited(rule)));
        if (excluded_[column]) return;
        const auto add_to = [&](std::vector<TransformStep>& steps, Operations operations) {
            if (rule.operations.any(operations)) steps.push_back(step);
        };
        Stages& s = parts_.stages;
        add_to(s.insert, {Op::insert});
        add_to(s.update, {Op::update});
        add_to(s.del, {Op::del});
        add_to(s.entered, {Op::insert, Op::update});
        add_to(s.left, {Op::update, Op::del});
    }

    static std::string as_inherited(const Rule& rule) {
        return rule.inherited_from.empty() ? "" : fmt::format(", as {}", rule.inherited_from);
    }
    static std::string describe(const std::vector<ColumnCondition>& when) {
        std::string text;
        for (const auto& [column, condition] : when)
            text += fmt::format("{} {} {}", text.empty() ? ", when" : " and", column, condition.describe());
        return text;
    }

    // A delete, and an update's old row, hold the key only. `reads`: "which it goes by".
    std::size_t input_of(const Rule& rule, const Column& column, const std::string& name, std::string_view reads,
                         std::string hint) const {
        const std::size_t input = column_of(relation_, name, rule.place);
        if (column.key && !relation_.columns[input].key && needed_.any({Op::update, Op::del}))
            throw refuse(rule.place, fmt::format("the column is part of the key, but '{}', {}, is not", name, reads),
                         std::move(hint));
        return input;
    }
    [[nodiscard]] std::size_t subject_of(const Rule& rule, const Column& column) const {
        const std::string name(rule.transform->subject());
        if (name.empty()) return TransformStep::no_subject;
        return input_of(rule, column, name, "which it goes by", "Leave 'by' out.");
    }
    // What a template reads. Rules have been applied to it by then, so it must be there, and be made by no template
    // and no expression.
    [[nodiscard]] std::vector<std::size_t> inputs_of(const Rule& rule, std::size_t index) const {
        std::vector<std::size_t> inputs;
        for (const std::string& name : rule.transform->inputs()) {
            inputs.push_back(column_of(relation_, name, rule.place));
            check_input(rule, name, inputs.back());
        }
        if (!inputs.empty()) check_template(rule, index);
        return inputs;
    }
    void check_input(const Rule& rule, const std::string& name, std::size_t input) const {
        if (excluded_[input])
            throw refuse(rule.place, fmt::format("the template reads '{}', which is left out", name),
                         "Leave it out of the template, too.");
        const auto* text = dynamic_cast<const Template*>(rule.transform.get());
        const std::string reason = text == nullptr ? "" : text->unfit_input(name, relation_.columns[input]);
        if (!reason.empty()) throw refuse(rule.place, reason);
        const bool computed = in_.route != nullptr &&
                              std::ranges::any_of(in_.route->set, [&](const auto& one) { return one.name == name; });
        const bool made = std::ranges::any_of(in_.rules->rules, [&](const Rule& other) {
            return other.column == name && other.transform != nullptr && !other.transform->inputs().empty();
        });
        if (computed || made)
            throw refuse(rule.place,
                         fmt::format("the template reads '{}', which is made by {}", name,
                                     made ? "a template" : "an expression"),
                         "Name the columns that it is made of instead.");
    }
    void check_template(const Rule& rule, std::size_t index) const {
        if (tells_rows_apart(relation_, index) && needed_.any({Op::update, Op::del}))
            throw refuse(rule.place, "the column is part of the key, of which a delete holds no other columns",
                         "Use another transform for it.");
        const auto others = std::ranges::count_if(in_.rules->rules, [&](const Rule& other) {
            return other.column == rule.column && other.transform != nullptr;
        });
        if (others > 1)
            throw refuse(rule.place, "a template is the only transform of its column", "Leave one of them out.");
    }
    [[nodiscard]] std::shared_ptr<const When> when_of(const Rule& rule, const Column& column) const {
        if (rule.when.empty()) return nullptr;
        std::vector<When::Term> terms;
        for (const auto& [name, condition] : rule.when) {
            const std::size_t input = input_of(rule, column, name, "which 'when' reads", "Leave 'when' out.");
            const Column& read = relation_.columns[input];
            terms.push_back({input, condition.op, value_type(read), nullptr});
            if (condition.op != Operator::is_null && condition.op != Operator::not_null)
                terms.back().predicate = make_predicate(condition, read);
        }
        return std::make_shared<const When>(std::move(terms), rule.place);
    }

    void check_transform(const Rule& rule, std::size_t index) const {
        const Column& column = relation_.columns[index];
        const ValueType type = value_type(column);
        if (const std::string reason = rule.transform->unfit(column, type); !reason.empty())
            throw refuse(rule.place, reason);
        if (column.key && needed_.any({Op::update, Op::del}) && !rule.operations.all(needed_))
            throw refuse(
                rule.place,
                fmt::format("the column is part of the {}, so its transform must cover {}",
                            full() ? "replica identity (FULL)" : "key", needed_.text()),
                "Leave 'operations' out: otherwise updates and deletes would look for a row that is not there.");
        if (column.key && needed_.any({Op::update, Op::del}) && !rule.transform->repeats())
            throw refuse(rule.place,
                         fmt::format("the column is part of the {}, and a random value would not be found again",
                                     full() ? "replica identity (FULL)" : "key"),
                         "Leave 'random' out.");
        const bool key = tells_rows_apart(relation_, index);
        if ((key || column.unique) && !rule.allow_uniqueness_loss && !rule.transform->keeps_distinct(type))
            throw refuse(
                rule.place,
                fmt::format("the column is part of a {}, and the transform can make different {} the same",
                            key ? "key" : "unique index", key ? "keys" : "values"),
                fmt::format("{} allow_uniqueness_loss: true.", takes_hash(type) ? "Use type hash, or set" : "Set"));
        if ((key || column.unique) && !rule.allow_uniqueness_loss && !rule.when.empty())
            throw refuse(rule.place,
                         fmt::format("the column is part of a {}, and what is transformed by 'when' can become the "
                                     "same as what is not",
                                     key ? "key" : "unique index"),
                         "Leave 'when' out, or set allow_uniqueness_loss: true.");
    }

    void add_filter(const Rule& rule, std::size_t column) {
        const Column& source = relation_.columns[column];
        const Condition& condition = *rule.condition;
        // A delete that a sample cannot judge is of a row that the target has, or of none.
        const bool any_delete = rule.allow_empty_deletes || rule.sampling() != nullptr;
        FilterStep step{column, condition.op, value_type(source), any_delete, nullptr, {}, rule.place};
        if (condition.op != Operator::is_null && condition.op != Operator::not_null)
            step.predicate = make_predicate(condition, source);
        note_rule(rule, fmt::format("only rows where {} {}{}", rule.column, condition.describe(), as_inherited(rule)));
        Stages& s = parts_.stages;
        add_filter_to(s.insert_filters, step, rule, Op::insert);
        add_filter_to(s.update_filters, step, rule, Op::update);
        add_filter_to(s.delete_filters, step, rule, Op::del);
        warn(rule, source);
    }

    void add_filter_to(std::vector<FilterStep>& filters, FilterStep step, const Rule& rule, Op op) const {
        if (!rule.operations.has(op)) return;
        for (const auto& [transform, operations] : transforms_) {
            // A sample judges the value as it was, which is the same in all tables.
            if (transform.column != step.column || !operations.has(op) || step.op == Operator::sampled) continue;
            if (transform.reads_row() || !transform.transform->repeats())
                throw refuse(
                    rule.place,
                    "a filter cannot judge what a transform with 'by', 'random' or 'when' makes, or a template",
                    "Put the filter above the transform.");
            step.before.push_back(transform);
        }
        filters.push_back(std::move(step));
    }

    // It judges the source's row, before any rule. A delete that it cannot judge passes: it is of a row that the target
    // has, or of none.
    void add_where(const WrittenExpression& where) {
        FilterStep step;
        step.expression = std::make_shared<const Expression>(Expression::compile(where.text, relation_, where.place));
        if (step.expression->type() != SqlType::boolean)
            throw refuse(where.place, fmt::format("'where' is {}, and not boolean", name_of(step.expression->type())));
        step.allow_empty_deletes = true;
        step.place = where.place;
        note(fmt::format("only rows where {}", where.text));
        Stages& s = parts_.stages;
        for (std::vector<FilterStep>* filters : {&s.insert_filters, &s.update_filters, &s.delete_filters})
            filters->push_back(step);
    }

    void warn(const Rule& rule, const Column& column) {
        if (column.key) return;
        const std::string table = full_name(relation_);
        if ((rule.operations & needed_).has(Op::del) && !rule.allow_empty_deletes && rule.sampling() == nullptr)
            parts_.warnings.push_back(
                fmt::format("deletes of {} are dropped: they carry only the key, which is not enough for {}; set "
                            "allow_empty_deletes, or ALTER TABLE {} REPLICA IDENTITY FULL",
                            table, rule.place.text(), table));
    }

    // A row that leaves a filter stays in the target then, and what it holds is older than the row that comes back.
    void warn_of_stale_values() {
        const auto is_key = [&](std::size_t column) { return relation_.columns[column].key; };
        const auto blind = std::ranges::find_if(parts_.stages.update_filters, [&](const FilterStep& filter) {
            return filter.expression == nullptr ? !is_key(filter.column)
                                                : !std::ranges::all_of(filter.expression->columns(), is_key);
        });
        if (full() || blind == parts_.stages.update_filters.end() || !needed_.has(Op::update) || needed_.has(Op::del))
            return;
        for (std::size_t i = 0; i < relation_.columns.size(); ++i) {
            if (is_key(i) || excluded_[i] || !may_be_long(value_type(relation_.columns[i]))) continue;
            parts_.warnings.push_back(fmt::format(
                "a row of {0} that left the filter at {1} and enters it again may keep an old value in '{2}' and such "
                "columns: deletes are not replicated, and the log does not hold a large value that an update did not "
                "touch (TOAST); ALTER TABLE {0} REPLICA IDENTITY FULL",
                full_name(relation_), blind->place.text(), relation_.columns[i].name));
            return;
        }
    }

    const CompilerInput& in_;
    const Relation& relation_;
    CompiledParts parts_;
    Operations needed_;                  // row operations that reach the target
    std::vector<std::size_t> position_;  // of each source column in the target
    std::vector<bool> excluded_;
    std::vector<std::pair<TransformStep, Operations>> transforms_;  // so far, in the file's order
};

}  // namespace

std::shared_ptr<const CompiledRules> compile_rules(const CompilerInput& input) {
    if (input.route != nullptr && !input.route->replicate) return nullptr;
    return std::make_shared<const CompiledRules>(Compiler(input).compile());
}

}  // namespace pgsluice::rules
