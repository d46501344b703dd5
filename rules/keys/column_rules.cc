#include "rules/keys/column_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "stream/base/arena.h"
#include "stream/full_name.h"

namespace pgsluice::rules {
namespace {

bool becomes_null(const Rule& rule) {
    if (!rule.transform->ignores_value()) return false;
    Arena arena;
    return rule.transform->apply("", ValueType::text, arena).is_null();
}

// Of every row.
bool makes_null(const ColumnRules& rules) {
    if (rules.transforms.empty()) return false;
    const Rule& last = *rules.transforms.back();
    return last.when.empty() && last.operations.all(row_operations) && becomes_null(last);
}

}  // namespace

ColumnRules::ColumnRules(const TableRules* entry, const std::string& column) {
    if (entry == nullptr) return;
    for (const Rule& rule : entry->rules) {
        if (rule.column != column || rule.by_list) continue;
        if (rule.kind == Rule::Kind::transform) transforms.push_back(&rule);
        if (rule.kind == Rule::Kind::exclude) excluded = &rule;
        if (rule.kind == Rule::Kind::keep) keep = &rule;
        allows_mismatch = allows_mismatch || rule.allow_key_mismatch;
    }
}

bool ColumnRules::goes_own_way() const { return allows_mismatch || excluded != nullptr || makes_null(*this); }

bool ColumnRules::keeps_or_nulls() const {
    return std::ranges::all_of(transforms, [](const Rule* rule) { return becomes_null(*rule); });
}

std::string ColumnRules::text() const {
    if (excluded != nullptr) return "left out";
    std::string text;
    for (const Rule* rule : transforms) text += (text.empty() ? "" : ", then ") + rule->transform->describe();
    return text;
}

bool same_transforms(const std::vector<const Rule*>& a, const std::vector<const Rule*>& b) {
    return std::ranges::equal(a, b, [](const Rule* one, const Rule* other) {
        return one->transform->meaning() == other->transform->meaning() && one->operations == other->operations;
    });
}

const TableRules* entry_of(const RulesFile& file, const ReferenceGraph& graph, const QualifiedName& table) {
    return entry_for(file.tables, graph.as_relation(table), &TableRules::name);
}

TableRules& entry_of_its_own(RulesFile& file, const ReferenceGraph& graph, const QualifiedName& table,
                             const Place& place) {
    const TableName name{table.schema, table.table};
    const auto found = std::ranges::find(file.tables, name, &TableRules::name);
    if (found != file.tables.end()) return *found;
    const TableRules* so_far = entry_of(file, graph, table);
    TableRules made = so_far != nullptr ? *so_far : TableRules{{}, place, file.strict, {}};
    made.name = name;
    if (so_far == nullptr) {
        made.place.table = full_name(table);
        made.place.rule = 0;
        made.place.column.clear();
    }
    return file.tables.emplace_back(std::move(made));
}

void add_inherited(TableRules& entry, const std::string& column, const Rule& rule, const std::string& from) {
    Rule& inherited = entry.rules.emplace_back(rule);
    inherited.column = inherited.place.column = column;
    inherited.place.table = entry.place.table;
    inherited.place.rule = 0;
    inherited.was.clear();
    inherited.inherited_from = from;
}

}  // namespace pgsluice::rules
