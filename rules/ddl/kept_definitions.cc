#include "rules/ddl/kept_definitions.h"

#include <fmt/format.h>

#include <algorithm>

#include "rules/ddl/sql_text.h"
#include "sql/quote.h"
#include "stream/definition/find_part.h"
#include "stream/definition/type_conversion.h"

namespace pgsluice::rules {
namespace {

// Of columns that the source does not have: below and above those of PostgreSQL.
constexpr std::int16_t before_first = -1;
constexpr std::int16_t after_last = 2000;

std::string quoted_names(const Route& route) {
    std::string names;
    for (const ConstantColumn& constant : route.constants) names += sql::quote_identifier(constant.name) + ", ";
    return names;
}

// Puts `names` after the first opening bracket at or after `from`; where that was, or npos.
std::size_t prefix_list(std::string& text, const std::string& names, std::size_t from = 0) {
    for (const SqlToken& token : sql_tokens(text)) {
        const auto at = static_cast<std::size_t>(token.text.data() - text.data());
        if (at < from || token.text != "(") continue;
        text.insert(at + 1, names);
        return at;
    }
    return std::string::npos;
}

// At the end of the first list in brackets.
void append_to_list(std::string& text, const std::string& name) {
    for (const SqlToken& token : sql_tokens(text)) {
        if (token.text != ")") continue;
        text.insert(static_cast<std::size_t>(token.text.data() - text.data()), ", " + name);
        return;
    }
}

std::size_t end_of_word(const std::string& text, std::string_view word) {
    for (const SqlToken& token : sql_tokens(text))
        if (token.kind == SqlToken::Kind::word && token.text == word)
            return static_cast<std::size_t>(token.text.data() - text.data()) + word.size();
    return std::string::npos;
}

ColumnDefinition added_column(std::int16_t number, const std::string& name, const std::string& type, Oid oid) {
    ColumnDefinition column;
    column.number = number;
    column.name = name;
    column.type = type;
    column.type_oid = column.base_oid = oid;
    column.not_null = true;
    return column;
}

void add_constants(TableDefinition& table, const Route& route) {
    std::vector<ColumnDefinition> columns;
    for (const ConstantColumn& constant : route.constants) {
        const auto number = static_cast<std::int16_t>(before_first - static_cast<std::int16_t>(columns.size()));
        columns.push_back(added_column(number, constant.name, constant.type.type_name, constant.type.type_oid));
        columns.back().inherited = !table.parents.empty();
    }
    table.columns.insert(table.columns.begin(), columns.begin(), columns.end());
}

// A key with the time from which on a version was valid.
void make_history(TableDefinition& table, const HistoryColumns& history) {
    std::erase_if(table.constraints, [](const ConstraintDefinition& constraint) {
        return constraint.type == 'u' || constraint.type == 'x' || constraint.type == 'f';
    });
    for (ConstraintDefinition& constraint : table.constraints) {
        if (constraint.type != 'p') continue;
        constraint.deferrable = constraint.deferred = false;
        append_to_list(constraint.definition, sql::quote_identifier(history.valid_from));
    }
    table.replica_identity = ReplicaIdentity::default_key;
    table.identity_index.clear();
    constexpr const char* time = "timestamp with time zone";
    table.columns.push_back(added_column(after_last, history.valid_from, time, 1184));
    table.columns.push_back(added_column(after_last + 1, history.valid_to, time, 1184));
    table.columns.push_back(added_column(after_last + 2, history.deleted, "boolean", 16));
}

std::vector<std::string> own_rows(const Route& route, const Keeping& keeping) {
    std::vector<std::string> names_and_values;
    for (std::size_t i = 0; i < route.constants.size(); ++i) {
        names_and_values.push_back(route.constants[i].name);
        names_and_values.push_back(keeping.constants[i]);
    }
    return names_and_values;
}

// What the command makes of rows that are not its source's, or are to stay as they were; empty: nothing.
std::string loss(const TableDefinition& before, const TableDefinition& after) {
    for (const ColumnDefinition& column : before.columns) {
        const auto* now = find_part(after.columns, &ColumnDefinition::number, column.number);
        if (now == nullptr) return fmt::format("the column '{}' is dropped", column.name);
        if (now->generated == '\0' && conversion_of(column, *now) == Conversion::other)
            return fmt::format("the new type of column '{}' may cut, round or change values", now->name);
    }
    return {};
}

}  // namespace

bool is_kept_otherwise(const Route* route) {
    return route != nullptr && (!route->constants.empty() || route->mode != Keeping::Mode::clone);
}

void keep_table_as(TableDefinition& table, const Route& route, const Keeping& keeping) {
    add_constants(table, route);
    const std::string names = quoted_names(route);
    std::erase_if(table.constraints, [&](ConstraintDefinition& constraint) {
        if (constraint.type == 'p' || constraint.type == 'u') prefix_list(constraint.definition, names);
        return constraint.type == 'x' && !names.empty();
    });
    if (keeping.mode == Keeping::Mode::history) make_history(table, keeping.history);
}

bool keep_reference(std::string& definition, const Route* from, const Route* to) {
    if (to != nullptr && to->mode != Keeping::Mode::clone) return false;  // its rows may be there twice, or no more
    if (to == nullptr || to->constants.empty()) return true;
    const auto name_of = [](const ConstantColumn& constant) { return constant.name; };
    const bool same = from != nullptr && std::ranges::equal(from->constants, to->constants, {}, name_of, name_of);
    // These would set the constants, or count them.
    if (!same || definition.find(" SET NULL") != std::string::npos ||
        definition.find(" SET DEFAULT") != std::string::npos || end_of_word(definition, "MATCH") != std::string::npos)
        return false;
    const std::string names = quoted_names(*from);
    const auto first = prefix_list(definition, names);
    return first != std::string::npos && prefix_list(definition, names, first + names.size() + 1) != std::string::npos;
}

void keep_index_as(DefinitionChange& change, IndexDefinition& index, const Route& route) {
    Relation table;
    table.schema = index.table.schema;
    table.table = index.table.name;
    for (const ObjectName& above : index.ancestors) table.ancestors.push_back({above.schema, above.name});
    change.own_rows = own_rows(route, route.keeping(table));
    const auto unique = end_of_word(index.definition, "UNIQUE");
    if (unique == std::string::npos || unique > std::string_view("CREATE UNIQUE").size()) return;
    if (route.mode == Keeping::Mode::history) {
        index.definition.erase(unique - std::string_view("UNIQUE").size(), std::string_view("UNIQUE ").size());
        return;
    }
    if (const auto used = end_of_word(index.definition, "USING"); used != std::string::npos)
        prefix_list(index.definition, quoted_names(route), used);
}

void guard_kept_rows(DefinitionChange& change, const Route& route, const Keeping& keeping) {
    change.root_void = false;
    change.own_rows = own_rows(route, keeping);
    change.keeps_rows = keeping.mode != Keeping::Mode::clone;
    if (!change.before || !change.obstacle.empty()) return;
    const char* kept = change.keeps_rows ? "its rows are to stay" : "rows of other sources may be in the table, too";
    const std::string lost =
        change.after ? loss(std::get<TableDefinition>(*change.before), std::get<TableDefinition>(*change.after))
                     : "the table is dropped";
    if (!lost.empty()) change.obstacle = fmt::format("{}, and {}", lost, kept);
}

}  // namespace pgsluice::rules
