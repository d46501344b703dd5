#include "rules/ddl/told_keys.h"

#include <algorithm>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "rules/ddl/sql_text.h"
#include "rules/ddl/table_says.h"

namespace pgsluice::rules {
namespace {

// Names in parentheses, from the token that opens them on; `at` is then after them.
std::vector<std::string> names_in(const std::vector<SqlToken>& tokens, std::size_t& at) {
    std::vector<std::string> names;
    while (at < tokens.size() && tokens[at].text != "(") ++at;
    for (++at; at < tokens.size() && tokens[at].text != ")"; ++at) {
        const bool last = at + 1 < tokens.size() && (tokens[at + 1].text == "," || tokens[at + 1].text == ")");
        if (tokens[at].text != "," && last) names.push_back(identifier_name(tokens[at]));  // not PERIOD before one
    }
    return names;
}

// FOREIGN KEY (a, b) REFERENCES schema.table(x, y) ...
void read_key(const TableDefinition& table, const ConstraintDefinition& key, std::vector<ColumnReference>& into) {
    const auto tokens = sql_tokens(key.definition);
    std::size_t at = 0;
    const auto own = names_in(tokens, at);
    const auto references = std::ranges::find(tokens, "REFERENCES", &SqlToken::text);
    at = static_cast<std::size_t>(references - tokens.begin());
    if (at + 3 >= tokens.size() || tokens[at + 2].text != ".") return;
    const QualifiedName to{identifier_name(tokens[at + 1]), identifier_name(tokens[at + 3])};
    const auto other = names_in(tokens, at);
    for (std::size_t i = 0; i < std::min(own.size(), other.size()); ++i)
        into.push_back({{table.schema, table.name}, own[i], to, other[i], true, key.name});
}

}  // namespace

ForeignKeys told_keys(const DefinitionMessage& message) {
    ForeignKeys told;
    for (const DefinitionChange& change : message.objects) {
        if (!change.after || !std::holds_alternative<TableDefinition>(*change.after)) continue;
        const auto& table = std::get<TableDefinition>(*change.after);
        const std::size_t before = told.references.size();
        for (const ConstraintDefinition& constraint : table.constraints)
            if (constraint.type == 'f') read_key(table, constraint, told.references);
        if (told.references.size() > before)
            told.tables.push_back(std::make_shared<const Relation>(relation_of(change.oid, table)));
    }
    return told;
}

}  // namespace pgsluice::rules
