// The rules file:
//     mode: strict | open
//     secret_env / secret_file, locale
//     tables: {name: [rule ...]} or {name: {mode: ..., rules: [rule ...]}}
#include <fmt/format.h>

#include <algorithm>

#include "rules/file/fields.h"
#include "rules/rows/sampling.h"
#include "rules/rule.h"

namespace pgsluice::rules {
namespace {

bool read_mode(Fields& fields, bool otherwise) {
    const auto mode = fields.text("mode");
    if (!mode) return otherwise;
    if (*mode == "strict") return true;
    if (*mode == "open") return false;
    throw refuse(fields.place(), fmt::format("unknown mode '{}'", *mode), "Known modes: strict, open.");
}

struct RuleType {
    Rule::Kind kind;
    bool sample = false;  // a filter by keyed hash
};

RuleType read_type(Fields& fields) {
    const std::string type = fields.required_text("type");
    if (type == "transform") return {Rule::Kind::transform};
    if (type == "filter") return {Rule::Kind::filter};
    if (type == "sample") return {Rule::Kind::filter, true};
    if (type == "exclude_column") return {Rule::Kind::exclude};
    if (type == "keep") return {Rule::Kind::keep};
    throw refuse(fields.place(), fmt::format("unknown rule type '{}'", type),
                 "Known types: transform, filter, sample, exclude_column, keep.");
}

// `column: email` or `columns: [email, phone]`.
std::vector<std::string> read_columns(Fields& fields) {
    const auto column = fields.text("column");
    const Node* list = fields.take("columns");
    if (column.has_value() == (list != nullptr))
        throw refuse(fields.place(), "'column' is missing, or both 'column' and 'columns' are there");
    if (column) return {*column};
    std::vector<std::string> columns;
    for (const Node& item : list->items) {
        if (!item.is_scalar()) throw refuse(fields.place_of(item), "'columns' must list names");
        columns.push_back(item.text);
    }
    if (columns.empty()) throw refuse(fields.place_of(*list), "'columns' must list at least one name");
    return columns;
}

// pg_flo reads these from the rule and from its parameters.
void read_allowances(Rule& rule, Fields& fields) {
    rule.allow_empty_deletes = fields.flag("allow_empty_deletes", rule.allow_empty_deletes);
    rule.allow_uniqueness_loss = fields.flag("allow_uniqueness_loss", rule.allow_uniqueness_loss);
    rule.allow_type_change = fields.flag("allow_type_change", rule.allow_type_change);
    rule.allow_key_mismatch = fields.flag("allow_key_mismatch", rule.allow_key_mismatch);
}

Condition read_filter(bool sample, Fields& parameters, const TransformDefaults& defaults) {
    if (!sample) return read_condition(parameters);
    Condition condition;
    condition.op = Operator::sampled;
    condition.place = parameters.place();
    condition.sampling = Sampling::read(parameters, defaults);
    return condition;
}

void read_parameters(Rule& rule, Fields& fields, const TransformDefaults& defaults, bool sample) {
    static const Node no_rules = {Node::Kind::map, 0, {}, {}, {}};
    const Node* node = fields.take("parameters");
    const bool needed = rule.kind == Rule::Kind::transform || rule.kind == Rule::Kind::filter;
    if (needed && node == nullptr) throw refuse(rule.place, "'parameters' is missing");
    Place place = rule.place;
    if (node != nullptr && node->line > 0) place.line = node->line;
    Fields parameters(node != nullptr ? *node : no_rules, place, "'parameters'");
    if (rule.kind == Rule::Kind::transform) rule.transform = make_transform(parameters, defaults);
    if (rule.kind == Rule::Kind::filter) rule.condition = read_filter(sample, parameters, defaults);
    read_allowances(rule, parameters);
    parameters.expect_end();
}

// `{column: country, operator: eq, value: DE}`, or a list of these.
std::vector<ColumnCondition> read_when(const Node& node, const Rule& rule) {
    Place place = rule.place;
    place.line = node.line;
    if (rule.kind != Rule::Kind::transform) throw refuse(place, "'when' is for transforms", "Leave 'when' out.");
    const std::vector<Node> nodes = node.is_list() ? node.items : std::vector{node};
    if (nodes.empty()) throw refuse(place, "'when' must list at least one condition", "Leave it out for all rows.");
    std::vector<ColumnCondition> conditions;
    for (const Node& one : nodes) {
        if (one.line > 0) place.line = one.line;
        Fields fields(one, place, "a condition of 'when'");
        std::string column = fields.required_text("column");
        conditions.push_back({std::move(column), read_condition(fields)});
        fields.expect_end();
    }
    return conditions;
}

// So that it is noticed when another column takes the name of one that a `when` or a template reads.
void add_inputs(std::vector<Rule>& rules, const Rule& rule) {
    const auto add = [&](const std::string& column) {
        Rule input;
        input.kind = Rule::Kind::filter;
        input.place = rule.place;
        input.column = input.place.column = column;
        input.by_list = true;
        rules.push_back(std::move(input));
    };
    for (const ColumnCondition& condition : rule.when) add(condition.column);
    if (rule.transform != nullptr)
        for (const std::string& input : rule.transform->inputs()) add(input);
}

// A column that an update sets must have been inserted: it is excluded altogether or not at all.
void check_exclude(const Rule& rule) {
    if (rule.kind != Rule::Kind::exclude || rule.operations.all({Op::insert, Op::update})) return;
    throw refuse(rule.place, "exclude_column leaves the column out of the target, so it must cover INSERT and UPDATE",
                 "Leave 'operations' out, or use a transform of type 'null'.");
}

// A row that some operations keep and others do not would be lost, or refer to one that is.
void check_sample(const Rule& rule) {
    if (rule.sampling() == nullptr || rule.operations.all(row_operations)) return;
    throw refuse(rule.place, "a sample holds for all operations", "Leave 'operations' out.");
}

std::vector<Rule> read_rule(const Node& node, Place place, const TransformDefaults& defaults) {
    place.line = node.line;
    Fields fields(node, place, "a rule");
    Rule rule;
    const RuleType type = read_type(fields);
    rule.kind = type.kind;
    const std::vector<std::string> columns = read_columns(fields);
    rule.was = fields.text("was").value_or("");
    if (!rule.was.empty() && columns.size() > 1) throw refuse(fields.place(), "'was' needs a rule for one column only");
    place.column = fmt::format("{}", fmt::join(columns, ", "));
    rule.place = place;
    if (const Node* operations = fields.take("operations"))
        rule.operations = read_operations(*operations, place, row_operations);
    read_allowances(rule, fields);
    read_parameters(rule, fields, defaults, type.sample);
    if (const Node* when = fields.take("when")) rule.when = read_when(*when, rule);
    fields.expect_end();
    check_exclude(rule);
    check_sample(rule);
    std::vector<Rule> rules;
    for (const std::string& column : columns) {
        rules.push_back(rule);
        rules.back().column = rules.back().place.column = column;
    }
    add_inputs(rules, rule);
    return rules;
}

TableRules read_table(const Node& node, Place place, bool strict, const TransformDefaults& defaults) {
    place.line = node.line;
    TableRules table{TableName::parse(node.key, place), place, strict, {}};
    place.table = table.place.table = node.key;
    const Node* list = &node;
    if (node.is_map()) {
        Fields fields(node, place, "a table");
        table.strict = read_mode(fields, strict);
        list = fields.take("rules");
        fields.expect_end();
        if (list == nullptr) throw refuse(place, "'rules' is missing");
    }
    if (!list->is_list()) throw refuse(place, "a table takes a list of rules");
    for (const Node& item : list->items) {
        ++place.rule;
        for (Rule& rule : read_rule(item, place, defaults)) table.rules.push_back(std::move(rule));
    }
    return table;
}

}  // namespace

RulesFile read_rules(const Node& root, const std::string& path) {
    const Place place{path, 0, {}, 0, {}};
    Fields fields(root, place, "a rules file");
    RulesFile file;
    file.path = path;
    file.strict = read_mode(fields, false);
    const TransformDefaults defaults{fields.text("secret_env").value_or(""), fields.text("secret_file").value_or(""),
                                     fields.text("locale").value_or("")};
    if (!defaults.locale.empty()) check_locale(defaults.locale, place);
    const Node* tables = fields.take("tables");
    fields.expect_end();
    if (tables == nullptr || !tables->is_map()) throw refuse(place, "'tables' must name tables and their rules");
    for (const Node& node : tables->items) {
        TableRules table = read_table(node, place, file.strict, defaults);
        for (const TableRules& other : file.tables)
            if (other.name == table.name) throw refuse(table.place, "the table appears twice");
        file.tables.push_back(std::move(table));
    }
    return file;
}

}  // namespace pgsluice::rules
