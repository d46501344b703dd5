#include "rules/rule_compiler.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "rules/named_columns.h"
#include "rules/personal/column_names.h"

namespace pgsluice::rules {
namespace {

std::string qualified(const Relation& relation) { return fmt::format("{}.{}", relation.schema, relation.table); }

Column computed_column(const std::string& name, SqlType type, bool key) {
    Column column;
    column.name = name;
    column.type_name = name_of(type);
    column.type_oid = column.base_oid = oid_of(type);
    column.key = key;
    return column;
}

bool takes_hash(ValueType type) { return is_text(type) || type == ValueType::uuid || type == ValueType::bytea; }

class Compiler {
   public:
    explicit Compiler(const CompilerInput& input) : in_(input), relation_(*input.relation) {
        parts_.source = input.relation;
        if (in_.route != nullptr) parts_.operations = in_.route->operations;
        needed_ = parts_.operations & row_operations;
    }

    CompiledParts compile() {
        check_strict();
        build_target();
        if (in_.route != nullptr && !in_.route->where.text.empty()) add_where(in_.route->where);
        if (in_.rules != nullptr)
            for (const Rule& rule : in_.rules->rules) add(rule);
        if (!strict()) warn_of_unnamed();
        return std::move(parts_);
    }

   private:
    std::size_t column_of(const std::string& name, const Place& place) const {
        for (std::size_t i = 0; i < relation_.columns.size(); ++i)
            if (relation_.columns[i].name == name) return i;
        throw refuse(place, fmt::format("the table {} has no column '{}'", qualified(relation_), name),
                     "Correct the name in the file, or remove the rule.");
    }

    [[nodiscard]] bool full() const { return relation_.identity == ReplicaIdentity::full; }

    void note(std::string line) { parts_.description.push_back(std::move(line)); }

    // ---- the target's shape

    void build_target() {
        auto target = std::make_shared<Relation>(relation_);
        const std::vector<bool> excluded = excluded_columns();
        target->columns.clear();
        if (in_.route != nullptr) add_constants(*target);
        for (std::size_t i = 0; i < relation_.columns.size(); ++i) {
            position_.push_back(target->columns.size());
            if (excluded[i]) {
                target->excluded.push_back(relation_.columns[i].number);
                continue;
            }
            parts_.projection.push_back(i);
            target->columns.push_back(relation_.columns[i]);
        }
        if (parts_.projection.empty() && !relation_.columns.empty())
            throw refuse(in_.rules->place, "all columns are excluded",
                         "Set 'replicate: false' in the table's route to leave it out.");
        if (parts_.projection.size() == relation_.columns.size()) parts_.projection.clear();
        excluded_ = excluded;
        if (in_.route != nullptr)
            for (const ComputedColumn& computed : in_.route->set) add_computed(computed, *target);
        if (in_.route != nullptr) rename(*target);
        if (*target == relation_) {
            parts_.target = in_.relation;
        } else {
            parts_.target = std::move(target);
        }
    }

    // They are a part of the key: this worker's rows are told from others by them.
    void add_constants(Relation& target) {
        const Route& route = *in_.route;
        target.keeping = route.keeping(relation_);
        const bool keyed = std::any_of(relation_.columns.begin(), relation_.columns.end(),
                                       [](const Column& column) { return column.key; });
        for (std::size_t i = 0; i < route.constants.size(); ++i) {
            Column& column = target.columns.emplace_back(route.constants[i].type);
            column.name = route.constants[i].name;
            column.key = keyed;
            note(fmt::format("column {} is {}", column.name, target.keeping.constants[i]));
        }
        if (route.mode == Keeping::Mode::append) note("no row is removed");
        if (route.mode == Keeping::Mode::history) note_history(route, keyed);
    }
    void note_history(const Route& route, bool keyed) {
        if (!keyed || full())
            throw refuse(route.place,
                         fmt::format("the table {} has no key, so its history cannot be kept", qualified(relation_)),
                         "Give the source's table a primary key, or REPLICA IDENTITY USING INDEX.");
        note(fmt::format("every version of a row stays, from {} to {}", route.history.valid_from,
                         route.history.valid_to));
    }

    // ---- computed columns

    void add_computed(const ComputedColumn& computed, Relation& target) {
        const WrittenExpression& written = computed.expression;
        ComputedStep step;
        step.expression =
            std::make_shared<const Expression>(Expression::compile(written.text, relation_, written.place));
        step.place = written.place;
        for (const std::size_t input : step.expression->columns()) check_input(relation_.columns[input], written.place);
        step.target = place_of_computed(computed, target);
        Column& column = target.columns[step.target];
        column = computed_column(computed.name, step.expression->type(), column.key);
        note(fmt::format("column {} is {}", computed.name, written.text));
        parts_.computed.push_back(std::move(step));
    }

    // What rules hide must not come out under another name.
    void check_input(const Column& input, const Place& place) const {
        if (const Rule* rule = hiding(input))
            throw refuse(
                place, fmt::format("the expression reads '{}', whose values {} hides", input.name, rule->place.text()),
                "Leave the column out of the expression, or its rule out of the rules file.");
    }
    [[nodiscard]] const Rule* hiding(const Column& column) const {
        if (in_.rules == nullptr) return nullptr;
        for (const Rule& rule : in_.rules->rules)
            if (rule.column == column.name && !rule.by_list &&
                (rule.kind == Rule::Kind::transform || rule.kind == Rule::Kind::exclude))
                return &rule;
        return nullptr;
    }

    std::size_t place_of_computed(const ComputedColumn& computed, Relation& target) const {
        const auto own = std::ranges::find(relation_.columns, computed.name, &Column::name);
        if (own == relation_.columns.end()) {
            target.columns.emplace_back();
            return target.columns.size() - 1;
        }
        const auto index = static_cast<std::size_t>(own - relation_.columns.begin());
        check_replaced(index, computed.expression.place);
        return position_[index];
    }
    void check_replaced(std::size_t index, const Place& place) const {
        const Column& column = relation_.columns[index];
        constexpr const char* other_name = "Give the computed column another name.";
        if (const Rule* rule = hiding(column))
            throw refuse(place, fmt::format("{} is for the same column", rule->place.text()),
                         "Leave one of them out, or give the computed column another name.");
        if (excluded_[index])
            throw refuse(place, "'only' does not list the column of the source that it replaces",
                         "Add it to 'only', or give the computed column another name.");
        if (in_key(index) && needed_.any({Op::update, Op::del}))
            throw refuse(place, "the column is part of the key: updates and deletes would not find their row",
                         other_name);
        if (in_key(index) || column.unique)
            throw refuse(place,
                         "the column is part of a unique index, and the expression can make different values the same",
                         other_name);
    }

    std::vector<bool> excluded_columns() {
        std::vector<bool> excluded(relation_.columns.size(), false);
        if (in_.rules == nullptr) return excluded;
        for (const Rule& rule : in_.rules->rules) {
            if (rule.kind != Rule::Kind::exclude) continue;
            const std::size_t column = column_of(rule.column, rule.place);
            if (in_key(column) && needed_.any({Op::update, Op::del}))
                throw refuse(rule.place, "the column is part of the key: updates and deletes would not find their row",
                             rule.by_list
                                 ? "Add it to 'only', or replicate inserts only (operations in the routing file)."
                             : takes_hash(value_type(relation_.columns[column]))
                                 ? "Transform it with type hash, or replicate inserts only (operations in the "
                                   "routing file)."
                                 : "Replicate inserts only (operations in the routing file).");
            excluded[column] = true;
        }
        return excluded;
    }

    // Of a primary key or unique index that tells rows apart, and not only of a FULL identity.
    [[nodiscard]] bool in_key(std::size_t column) const { return relation_.columns[column].key && !full(); }

    void rename(Relation& target) {
        const Route& route = *in_.route;
        if (!route.target.schema.empty()) target.schema = route.target.schema;
        if (!route.target.table.empty()) target.table = route.target.table;
        note(fmt::format("route to {}", qualified(target)));
        for (const auto& [source, destination] : route.columns) {
            Place place = route.place;
            place.column = source;
            const std::size_t column = column_of(source, place);
            if (!excluded_[column]) target.columns[position_[column]].name = destination;
            note(fmt::format("column {} becomes {}", source, destination));
        }
        if (!route.operations.all(all_operations)) note(fmt::format("only {}", route.operations.text()));
        std::set<std::string> names;
        if (route.mode == Keeping::Mode::history)
            names = {route.history.valid_from, route.history.valid_to, route.history.deleted};
        for (const Column& column : target.columns)
            if (!names.insert(column.name).second)
                throw refuse(route.place, fmt::format("two columns would be named '{}'", column.name));
    }

    // ---- strict

    [[nodiscard]] bool strict() const {
        return in_.rules != nullptr ? in_.rules->strict : in_.file != nullptr && in_.file->strict;
    }

    void warn_of_unnamed() {
        if (in_.file == nullptr) return;
        std::string warning = warning_of_unnamed(*in_.file, in_.rules, relation_, needed_);
        if (!warning.empty()) parts_.warnings.push_back(std::move(warning));
    }

    void check_strict() const {
        if (!strict()) return;
        if (in_.rules == nullptr)
            throw refuse(
                {in_.file->path, 0, {}, 0, {}},
                fmt::format("mode is strict, and no rules name the table {}", qualified(relation_)),
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
        throw refuse(place,
                     "mode is strict, and no transform, exclude_column or keep names the column for all operations",
                     "Add {type: keep, column: ...} if it may pass." + looks);
    }

    // ---- rules

    void add(const Rule& rule) {
        const std::size_t column = column_of(rule.column, rule.place);
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
        check_transform(rule, column);
        const Column& source = relation_.columns[column];
        const ValueType type = value_type(source);
        auto fitted = rule.transform->for_column(source, type);
        if (fitted == nullptr) fitted = rule.transform;
        const TransformStep step{column,     position_[column],       source.key, type, std::move(fitted),
                                 rule.place, subject_of(rule, source)};
        transforms_.push_back({step, rule.operations});
        note_rule(rule, fmt::format("{}: {}", rule.column, rule.transform->describe()));
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

    // A delete, and an update's old row, hold the key only.
    [[nodiscard]] std::size_t subject_of(const Rule& rule, const Column& column) const {
        const std::string name(rule.transform->subject());
        if (name.empty()) return TransformStep::no_subject;
        const std::size_t subject = column_of(name, rule.place);
        if (column.key && !relation_.columns[subject].key && needed_.any({Op::update, Op::del}))
            throw refuse(rule.place,
                         fmt::format("the column is part of the key, but '{}', which it goes by, is not", name),
                         "Leave 'by' out.");
        return subject;
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
        const bool key = in_key(index);
        if ((key || column.unique) && !rule.allow_uniqueness_loss && !rule.transform->keeps_distinct(type))
            throw refuse(
                rule.place,
                fmt::format("the column is part of a {}, and the transform can make different {} the same",
                            key ? "key" : "unique index", key ? "keys" : "values"),
                fmt::format("{} allow_uniqueness_loss: true.", takes_hash(type) ? "Use type hash, or set" : "Set"));
    }

    void add_filter(const Rule& rule, std::size_t column) {
        const Column& source = relation_.columns[column];
        const Condition& condition = *rule.condition;
        FilterStep step{column, condition.op, value_type(source), rule.allow_empty_deletes, nullptr, {}, rule.place};
        if (condition.op != Operator::is_null && condition.op != Operator::not_null)
            step.predicate = make_predicate(condition, source);
        note_rule(rule, fmt::format("only rows where {} {}", rule.column, condition.describe()));
        Stages& s = parts_.stages;
        add_filter_to(s.insert_filters, step, rule, Op::insert);
        add_filter_to(s.update_filters, step, rule, Op::update);
        add_filter_to(s.delete_filters, step, rule, Op::del);
        warn(rule, source);
    }

    void add_filter_to(std::vector<FilterStep>& filters, FilterStep step, const Rule& rule, Op op) const {
        if (!rule.operations.has(op)) return;
        for (const auto& [transform, operations] : transforms_) {
            if (transform.column != step.column || !operations.has(op)) continue;
            if (transform.subject != TransformStep::no_subject || !transform.transform->repeats())
                throw refuse(rule.place, "a filter cannot judge what a transform with 'by' or 'random' makes",
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
        const std::string table = qualified(relation_);
        if ((rule.operations & needed_).has(Op::del) && !rule.allow_empty_deletes)
            parts_.warnings.push_back(
                fmt::format("deletes of {} are dropped: they carry only the key, which is not enough for {}; set "
                            "allow_empty_deletes, or ALTER TABLE {} REPLICA IDENTITY FULL",
                            table, rule.place.text(), table));
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
