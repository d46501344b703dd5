#include "sinks/postgres/own_rows.h"

#include <fmt/format.h>

#include "sql/quote.h"

namespace pgsluice {

namespace {

constexpr std::string_view where = " WHERE ";

}  // namespace

std::string own_rows_condition(std::span<const std::string> names_and_values, std::string_view prefix) {
    std::string condition;
    for (std::size_t i = 0; i + 1 < names_and_values.size(); i += 2)
        condition +=
            fmt::format("{}{}{} = {}", i == 0 ? "" : " AND ", prefix, sql::quote_identifier(names_and_values[i]),
                        sql::quote_literal(names_and_values[i + 1]));
    return condition;
}

std::string own_rows_condition(const Relation& relation, std::string_view prefix) {
    std::vector<std::string> names_and_values;
    for (std::size_t i = 0; i < relation.keeping.constants.size(); ++i) {
        names_and_values.push_back(relation.columns[i].name);
        names_and_values.push_back(relation.keeping.constants[i]);
    }
    return own_rows_condition(names_and_values, prefix);
}

std::string OwnRows::text() const { return condition.empty() ? table : fmt::format("{}{}{}", table, where, condition); }

OwnRows OwnRows::parse(std::string_view text) {
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') quoted = !quoted;
        if (!quoted && text.substr(i).starts_with(where))
            return {std::string(text.substr(0, i)), std::string(text.substr(i + where.size()))};
    }
    return {std::string(text), ""};
}

}  // namespace pgsluice
