#include "rules/listed_columns.h"

#include <algorithm>

namespace pgsluice::rules {

TableRules with_listed(const TableRules* entry, const Route* route, const Relation& relation) {
    TableRules rules = entry == nullptr ? TableRules{} : *entry;
    if (!has_listed(route)) return rules;
    if (entry == nullptr) {
        rules.name = route->source;
        rules.place = route->place;
    }
    Rule rule;
    const auto add = [&](Rule::Kind kind, const std::string& column, const Place& place) {
        rule.kind = kind;
        rule.column = rule.place.column = column;
        rule.place.file = place.file;
        rule.place.line = place.line;
        rule.place.table = place.table;
        rules.rules.push_back(rule);
    };
    rule.by_list = true;
    for (const ListedColumn& listed : route->only) add(Rule::Kind::keep, listed.name, listed.place);
    const auto add_inputs = [&](const WrittenExpression& expression) {
        for (const std::string& column : expression.columns) add(Rule::Kind::filter, column, expression.place);
    };
    add_inputs(route->where);
    for (const ComputedColumn& computed : route->set) {
        add_inputs(computed.expression);
        if (std::ranges::find(relation.columns, computed.name, &Column::name) != relation.columns.end())
            add(Rule::Kind::filter, computed.name, computed.expression.place);
    }
    if (route->only.empty()) return rules;
    for (const Column& column : relation.columns)
        if (std::ranges::find(route->only, column.name, &ListedColumn::name) == route->only.end())
            add(Rule::Kind::exclude, column.name, route->only[0].place);
    return rules;
}

}  // namespace pgsluice::rules
