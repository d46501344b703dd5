#include "rules/ddl/columns_in_use.h"

#include <fmt/format.h>

#include <vector>

#include "rules/values/value_type.h"
#include "stream/definition/find_part.h"
#include "stream/definition/type_conversion.h"

namespace pgsluice::rules {
namespace {

struct Use {
    std::string column;
    std::string what;
    bool by_type = false;         // not its values alone, but their type decides
    bool has_rule = false;        // the column's own: what an added one holds goes through it
    const std::string* was = {};  // the name that the column had, as a rule says
};

void add_uses(std::vector<Use>& uses, const Route& route) {
    for (const std::string& column : route.where.columns) uses.push_back({column, "the route's 'where' reads it"});
    for (const auto& [name, written] : route.set)
        for (const std::string& column : written.columns)
            uses.push_back({column, fmt::format("'{}' is computed from it", name), true});
}

void add_uses(std::vector<Use>& uses, const Rule& rule) {
    for (const auto& [column, condition] : rule.when)
        uses.push_back({column, fmt::format("a rule of '{}' is for some of its values", rule.column), true});
    if (rule.condition) uses.push_back({rule.column, "a filter reads its values", false, false, &rule.was});
    if (rule.kind != Rule::Kind::transform || !rule.transform->repeats() || rule.transform->ignores_value()) return;
    const Transform& transform = *rule.transform;
    const std::string made = fmt::format("a transform makes the values of '{}' from it", rule.column);
    if (!transform.subject().empty()) uses.push_back({std::string(transform.subject()), made});
    for (const std::string& input : transform.inputs()) uses.push_back({input, made});
    if (!transform.reads_row()) uses.push_back({rule.column, "a transform reads its values", false, true});
}

std::int16_t number_of(const TableDefinition& table, const std::string& name) {
    const auto* column = find_part(table.columns, &ColumnDefinition::name, name);
    return column == nullptr ? std::int16_t{0} : column->number;
}

bool is_integer(const ColumnDefinition& column) {
    return column.type_oid == 20 || column.type_oid == 21 || column.type_oid == 23;
}

// Whether expressions and transforms make the same of the same text.
bool is_same_kind(const ColumnDefinition& old, const ColumnDefinition& now) {
    return is_integer(old) == is_integer(now) && value_type(column_of(old)) == value_type(column_of(now));
}

std::string changed(const Use& use, const TableDefinition& was, const TableDefinition& now, bool rewritten) {
    const auto* column = find_part(now.columns, &ColumnDefinition::name, use.column);
    if (column == nullptr) return {};
    const std::int16_t before = number_of(was, use.column);
    const bool follows = use.was != nullptr && number_of(was, *use.was) == column->number;
    if (before != 0 && before != column->number && !use.has_rule && !follows)
        return fmt::format("another column is named '{}' now, and {}", use.column, use.what);
    const auto* old = find_part(was.columns, &ColumnDefinition::number, column->number);
    if (old == nullptr) return {};
    const bool retyped = old->type_oid != column->type_oid || old->typmod != column->typmod;
    if (conversion_of(*old, *column) != Conversion::none || !is_same_kind(*old, *column) ||
        (use.by_type && retyped && rewritten))
        return fmt::format("the type of column '{}' changes, and {}", use.column, use.what);
    return {};
}

}  // namespace

void ColumnsInUse::note(const DefinitionChange& change, const TableDefinition& table) {
    const auto add = [&](std::set<Oid>& tables) {
        tables.insert(change.oid);
        for (const ObjectName& above : table.ancestors) tables.insert(above.oid);
    };
    if (change.rewritten != 0) add(rewritten_);
    if (change.recopy) add(recopied_);
}

std::string ColumnsInUse::judged_again(Oid table, const TableSays& says, const TableDefinition& was,
                                       const TableDefinition& now) const {
    if (recopied_.contains(table)) return {};
    std::vector<Use> uses;
    if (says.route != nullptr) add_uses(uses, *says.route);
    for (const Rule& rule : says.rules.rules) add_uses(uses, rule);
    for (const Use& use : uses)
        if (std::string why = changed(use, was, now, rewritten_.contains(table)); !why.empty()) return why;
    return {};
}

}  // namespace pgsluice::rules
