#include "rules/ddl/table_says.h"

#include <algorithm>
#include <cctype>

#include "rules/ddl/expression.h"
#include "rules/listed_columns.h"

namespace pgsluice::rules {

namespace {

bool hides(Rule::Kind kind) { return kind == Rule::Kind::exclude || kind == Rule::Kind::transform; }

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

void note(TableSays& says, const Rule& rule) {
    for (const std::string& column : {rule.column, rule.was}) {
        if (column.empty()) continue;
        if (rule.kind == Rule::Kind::exclude) says.excluded.insert(column);
        if (rule.kind == Rule::Kind::transform) says.masked.insert(column);
        if (rule.kind == Rule::Kind::transform && rule.allow_uniqueness_loss) says.ambiguous.insert(column);
    }
}

// A column whose values an expression replaces has others than the source's, also the same ones in several rows.
void note_replaced(TableSays& says, const Relation& relation) {
    for (const ComputedColumn& computed : says.route->set) {
        const bool own = std::ranges::find(relation.columns, computed.name, &Column::name) != relation.columns.end();
        if (!own && !relation.columns.empty()) continue;
        says.masked.insert(computed.name);
        says.ambiguous.insert(computed.name);
    }
}

}  // namespace

std::set<std::string> TableSays::hidden() const {
    std::set<std::string> all = excluded;
    all.insert(masked.begin(), masked.end());
    all.insert(unnamed.begin(), unnamed.end());
    return all;
}

bool TableSays::names(const std::string& column) const {
    return std::any_of(rules.rules.begin(), rules.rules.end(), [&](const Rule& rule) {
        return rule.kind != Rule::Kind::filter && rule.when.empty() && rule.column == column;
    });
}

bool TableSays::is_about_hidden(std::string_view text) const {
    return hides() && (names_any(text, hidden()) || names_excluded(text) || names_whole_row(text));
}

bool TableSays::names_excluded(std::string_view text) const {
    return names_any(text, excluded) || (!knows_columns && !listed.empty() && names_other(text, listed));
}

bool FilesSay::lists_columns() const {
    return std::ranges::any_of(routes_, [](const Route& route) { return !route.only.empty(); });
}

bool FilesSay::hides_any() const {
    return file_.strict || lists_columns() ||
           std::any_of(file_.tables.begin(), file_.tables.end(), [](const TableRules& table) {
               return table.strict || std::any_of(table.rules.begin(), table.rules.end(),
                                                  [](const Rule& rule) { return hides(rule.kind); });
           });
}

std::set<std::string> FilesSay::hidden_words() const {
    std::set<std::string> words;
    for (const TableRules& table : file_.tables) {
        const bool any = table.strict || std::any_of(table.rules.begin(), table.rules.end(),
                                                     [](const Rule& rule) { return hides(rule.kind); });
        if (any) words.insert(lower(table.name.table));
        for (const Rule& rule : table.rules)
            if (hides(rule.kind)) words.insert(lower(rule.column));
    }
    return words;
}

std::set<std::string> FilesSay::routed_words() const {
    std::set<std::string> words;
    for (const Route& route : routes_) {
        const bool same = route.target.schema.empty() && route.target.table.empty() && route.replicate;
        if (!same) words.insert(lower(route.source.table));
        for (const auto& [from, to] : route.columns) words.insert(lower(from));
    }
    return words;
}

TableSays FilesSay::begin(const Relation& relation) const {
    TableSays says;
    says.entry = entry_for(file_.tables, relation, &TableRules::name);
    says.route = entry_for(routes_, relation, &Route::source);
    says.strict = says.entry != nullptr ? says.entry->strict : file_.strict;
    if (says.route != nullptr) says.columns = {says.route->columns.begin(), says.route->columns.end()};
    says.rules = with_listed(says.entry, says.route, relation);
    if (says.route != nullptr)
        for (const ListedColumn& column : says.route->only) says.listed.insert(column.name);
    return says;
}

void FilesSay::note_columns(TableSays& says, const Relation& relation) {
    for (const Rule& rule : says.rules.rules) note(says, rule);
    if (says.route != nullptr) note_replaced(says, relation);
    if (!says.strict) return;
    for (const Column& column : relation.columns)
        if (!says.names(column.name)) says.unnamed.insert(column.name);
}

TableSays FilesSay::of(const Relation& relation) const {
    TableSays says = begin(relation);
    says.knows_columns = !relation.columns.empty();
    if (!says.rules.rules.empty() && !relation.columns.empty()) says.rules = fitted_(says.rules, relation);
    note_columns(says, relation);
    return says;
}

TableSays FilesSay::of(const ObjectName& table, const std::vector<ObjectName>& ancestors,
                       const std::vector<std::string>& columns) const {
    Relation relation;
    relation.schema = table.schema;
    relation.table = table.name;
    for (const ObjectName& above : ancestors) relation.ancestors.push_back({above.schema, above.name});
    for (const std::string& name : columns) relation.columns.emplace_back().name = name;
    TableSays says = begin(relation);
    note_columns(says, relation);
    return says;
}

Column column_of(const ColumnDefinition& definition) {
    Column column;
    column.name = definition.name;
    column.type_name = definition.type;
    column.type_oid = definition.type_oid;
    column.typmod = definition.typmod;
    column.base_oid = definition.base_oid;
    column.element_oid = definition.element_oid;
    column.number = definition.number;
    return column;
}

Relation relation_of(Oid oid, const TableDefinition& table) {
    Relation relation;
    relation.oid = oid;
    relation.schema = table.schema;
    relation.table = table.name;
    for (const ColumnDefinition& column : table.columns) relation.columns.push_back(column_of(column));
    for (const ObjectName& above : table.ancestors) relation.ancestors.push_back({above.schema, above.name});
    return relation;
}

bool is_left_out(const TableSays& says, const std::string& schema, const std::string& table) {
    if (says.route == nullptr) return false;
    // The rows of a partition go where its table's go: it is no table there.
    const bool own = says.route->source.matches(schema, table);
    return !says.route->replicate || (!own && !says.route->target.table.empty());
}

void route(const TableSays& says, std::string& schema, std::string& table) {
    if (says.route == nullptr) return;
    if (!says.route->target.schema.empty()) schema = says.route->target.schema;
    if (!says.route->target.table.empty()) table = says.route->target.table;
}

}  // namespace pgsluice::rules
