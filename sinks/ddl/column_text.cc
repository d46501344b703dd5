#include "sinks/ddl/column_text.h"

#include <fmt/format.h>

#include "sql/quote.h"

namespace pgsluice {

std::string type_text(const ColumnDefinition& column) {
    return column.collation.empty() ? column.type : fmt::format("{} COLLATE {}", column.type, column.collation);
}

std::string missing_text(const ColumnDefinition& column) {
    return fmt::format("{}::{}", sql::quote_literal(*column.missing), column.type);
}

std::string identity_text(const ColumnDefinition& column) {
    return fmt::format("GENERATED {} AS IDENTITY{}", column.identity == 'a' ? "ALWAYS" : "BY DEFAULT",
                       column.identity_options.empty() ? "" : fmt::format(" ({})", column.identity_options));
}

std::string identity_changes(const ColumnDefinition& column) {
    if (column.identity_options.empty())
        return " SET START WITH 1 SET INCREMENT BY 1 SET NO MINVALUE SET NO MAXVALUE SET CACHE 1 SET NO CYCLE";
    std::string text = column.identity_options;
    for (const std::string_view option : {"START", "INCREMENT", "MINVALUE", "MAXVALUE", "CACHE"})
        if (const auto at = text.find(option); at != std::string::npos) text.insert(at, "SET ");
    const auto cycle = text.ends_with("NO CYCLE") ? text.rfind("NO CYCLE") : text.rfind("CYCLE");
    if (cycle != std::string::npos) text.insert(cycle, "SET ");
    return ' ' + text;
}

std::string column_text(const ColumnDefinition& column) {
    std::string text = fmt::format("{} {}", sql::quote_identifier(column.name), type_text(column));
    if (column.generated != '\0')
        text += fmt::format(" GENERATED ALWAYS AS ({}) {}", column.expression,
                            column.generated == 'v' ? "VIRTUAL" : "STORED");
    else if (column.identity != '\0')
        text += ' ' + identity_text(column);
    else if (!column.expression.empty())
        text += " DEFAULT " + column.expression;
    return text;
}

}  // namespace pgsluice
