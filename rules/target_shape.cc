#include "rules/target_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "stream/full_name.h"
#include "stream/recovery_hint.h"

namespace pgsluice::rules {
namespace {

Column computed_column(const std::string& name, SqlType type, bool key) {
    Column column;
    column.name = name;
    column.type_name = name_of(type);
    column.type_oid = column.base_oid = oid_of(type);
    column.key = key;
    return column;
}

class TargetShaper {
   public:
    TargetShaper(const CompilerInput& input, Operations needed)
        : in_(input), relation_(*input.relation), needed_(needed) {}

    TargetShape shape() {
        auto target = std::make_shared<Relation>(relation_);
        const std::vector<bool> excluded = excluded_columns();
        target->columns.clear();
        if (in_.route != nullptr) add_constants(*target);
        for (std::size_t i = 0; i < relation_.columns.size(); ++i) {
            shape_.position.push_back(target->columns.size());
            if (excluded[i]) {
                target->excluded.push_back(relation_.columns[i].number);
                continue;
            }
            shape_.projection.push_back(i);
            target->columns.push_back(relation_.columns[i]);
        }
        if (shape_.projection.empty() && !relation_.columns.empty())
            throw refuse(in_.rules->place, "all columns are excluded",
                         "Set 'replicate: false' in the table's route to leave it out.");
        if (shape_.projection.size() == relation_.columns.size()) shape_.projection.clear();
        shape_.excluded = excluded;
        if (in_.route != nullptr)
            for (const ComputedColumn& computed : in_.route->set) add_computed(computed, *target);
        if (in_.route != nullptr) rename(*target);
        if (*target == relation_) {
            shape_.target = in_.relation;
        } else {
            shape_.target = std::move(target);
        }
        return std::move(shape_);
    }

   private:
    void note(std::string line) { shape_.description.push_back(std::move(line)); }

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
        if (relation_.identity == ReplicaIdentity::full)
            throw refuse(
                route.place,
                fmt::format("the table {} has REPLICA IDENTITY FULL, so that its rows do not say what its key "
                            "is, and its history cannot be kept",
                            full_name(relation_)),
                fmt::format("On the source, run ALTER TABLE ... REPLICA IDENTITY DEFAULT for '{}', which needs "
                            "a primary key, or REPLICA IDENTITY USING INDEX. {}, so that its rows come with "
                            "the key.",
                            full_name(relation_), resnapshot_hint));
        if (!keyed)
            throw refuse(route.place,
                         fmt::format("the table {} has no key, so its history cannot be kept", full_name(relation_)),
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
        shape_.computed.push_back(std::move(step));
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
        return shape_.position[index];
    }
    void check_replaced(std::size_t index, const Place& place) const {
        const Column& column = relation_.columns[index];
        constexpr const char* other_name = "Give the computed column another name.";
        if (const Rule* rule = hiding(column))
            throw refuse(place, fmt::format("{} is for the same column", rule->place.text()),
                         "Leave one of them out, or give the computed column another name.");
        if (shape_.excluded[index])
            throw refuse(place, "'only' does not list the column of the source that it replaces",
                         "Add it to 'only', or give the computed column another name.");
        if (tells_rows_apart(relation_, index) && needed_.any({Op::update, Op::del}))
            throw refuse(place, "the column is part of the key: updates and deletes would not find their row",
                         other_name);
        if (tells_rows_apart(relation_, index) || column.unique)
            throw refuse(place,
                         "the column is part of a unique index, and the expression can make different values the same",
                         other_name);
    }

    std::vector<bool> excluded_columns() {
        std::vector<bool> excluded(relation_.columns.size(), false);
        if (in_.rules == nullptr) return excluded;
        for (const Rule& rule : in_.rules->rules) {
            if (rule.kind != Rule::Kind::exclude) continue;
            const std::size_t column = column_of(relation_, rule.column, rule.place);
            if (tells_rows_apart(relation_, column) && needed_.any({Op::update, Op::del}))
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

    void rename(Relation& target) {
        const Route& route = *in_.route;
        if (!route.target.schema.empty()) target.schema = route.target.schema;
        if (!route.target.table.empty()) target.table = route.target.table;
        note(fmt::format("route to {}", full_name(target)));
        for (const auto& [source, destination] : route.columns) {
            Place place = route.place;
            place.column = source;
            const std::size_t column = column_of(relation_, source, place);
            if (!shape_.excluded[column]) target.columns[shape_.position[column]].name = destination;
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

    const CompilerInput& in_;
    const Relation& relation_;
    const Operations needed_;
    TargetShape shape_;
};

}  // namespace

std::size_t column_of(const Relation& relation, const std::string& name, const Place& place) {
    for (std::size_t i = 0; i < relation.columns.size(); ++i)
        if (relation.columns[i].name == name) return i;
    throw refuse(place, fmt::format("the table {} has no column '{}'", full_name(relation), name),
                 "Correct the name in the file, or remove the rule.");
}

TargetShape target_shape(const CompilerInput& input, Operations needed) { return TargetShaper(input, needed).shape(); }

}  // namespace pgsluice::rules
