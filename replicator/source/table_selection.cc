#include "replicator/source/table_selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "sql/quote.h"

namespace pgsluice {

namespace {

bool any_matches(const std::vector<TablePattern>& patterns, std::string_view schema, std::string_view table) {
    return std::ranges::any_of(patterns, [&](const auto& pattern) { return pattern.matches(schema, table); });
}

TablePattern whole_schema(const std::string& name) { return {{name, false}, {"*", true}}; }

std::string like(std::string_view expression, const NamePattern& pattern) {
    if (!pattern.wildcard) return fmt::format("{} = {}", expression, sql::quote_literal(pattern.text));
    return fmt::format("{} LIKE {}", expression, sql::quote_literal(pattern.like()));
}

std::string like_any(const std::vector<TablePattern>& patterns, std::string_view schema, std::string_view table) {
    std::string out;
    for (const auto& pattern : patterns) {
        out += fmt::format("{}{} AND {}", out.empty() ? "" : " OR ", like(schema, pattern.schema),
                           like(table, pattern.table));
        if (pattern.schema.wildcard) {
            out += fmt::format(" AND NOT ({0} LIKE 'pg#_%' ESCAPE '#' OR {0} IN ('information_schema', 'pgsluice'))",
                               schema);
        }
    }
    return out;
}

}  // namespace

bool TableSelection::excludes(std::string_view schema, std::string_view table) const {
    return any_matches(excluded, schema, table);
}

bool TableSelection::takes(std::string_view schema, std::string_view table) const {
    return any_matches(wanted, schema, table) && !excludes(schema, table);
}

bool TableSelection::names(std::string_view schema, std::string_view table) const {
    return std::ranges::any_of(
        wanted, [&](const auto& pattern) { return !pattern.wildcard() && pattern.matches(schema, table); });
}

bool TableSelection::open() const {
    return std::ranges::any_of(wanted, [](const auto& pattern) { return pattern.wildcard(); });
}

std::string TableSelection::condition(std::string_view schema, std::string_view table) const {
    std::vector<TablePattern> patterns;
    std::ranges::copy_if(wanted, std::back_inserter(patterns), [](const auto& pattern) { return pattern.wildcard(); });
    if (patterns.empty()) return "false";
    std::string out = fmt::format("({})", like_any(patterns, schema, table));
    if (!excluded.empty()) out += fmt::format(" AND NOT ({})", like_any(excluded, schema, table));
    return out;
}

TableSelection selection_of(const TableChoice& choice) {
    TableSelection selection;
    if (choice.all_schemas) selection.wanted.push_back({{"*", true}, {"*", true}});
    for (const auto& schema : choice.schemas) selection.wanted.push_back(whole_schema(schema));
    for (const auto& text : choice.tables) selection.wanted.push_back(parse_table_pattern(text, choice.schema));
    if (choice.by_default()) selection.wanted.push_back(whole_schema(choice.schema));
    for (const auto& text : choice.exclude_tables)
        selection.excluded.push_back(parse_table_pattern(text, choice.schema));
    return selection;
}

}  // namespace pgsluice
