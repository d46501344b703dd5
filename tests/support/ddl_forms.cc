#include "tests/support/ddl_forms.h"

#include <regex>

#include "tests/support/ddl_form_parts.h"

namespace pgsluice::test {

const std::vector<DdlForms>& ddl_forms() {
    static const std::vector<DdlForms> all{
        {"columns", forms::of_columns()},
        {"constraints", forms::of_constraints()},
        {"tables and indexes", forms::of_tables_and_indexes()},
        {"partitions", forms::of_partitions()},
        {"types, sequences, schemas", forms::of_types_sequences_schemas()},
    };
    return all;
}

std::string in_schema(const std::string& statements, const std::string& name) {
    static const std::regex second(R"(\bf([23])\b)");
    static const std::regex first(R"(\bf\b)");
    return std::regex_replace(std::regex_replace(statements, second, name + "_$1"), first, name);
}

std::vector<std::string> statements_of(const std::string& text) {
    std::vector<std::string> statements(1);
    char quote = '\0';  // within: ' or ", $ for $$
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool dollars = c == '$' && text[i + 1] == '$';
        if (quote == '\0' && (c == '\'' || c == '"' || dollars))
            quote = c;
        else if (quote == c && (c != '$' || dollars))
            quote = '\0';
        if (quote == '\0' && c == ';')
            statements.emplace_back();
        else
            statements.back() += c;
        if (dollars) statements.back() += text[++i];
    }
    return statements;
}

}  // namespace pgsluice::test
