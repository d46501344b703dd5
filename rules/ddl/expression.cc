#include "rules/ddl/expression.h"

#include <algorithm>

#include "rules/ddl/sql_text.h"
#include "sql/quote.h"

namespace pgsluice::rules {

namespace {

bool is_identifier(const SqlToken& token) {
    return token.kind == SqlToken::Kind::word || token.kind == SqlToken::Kind::quoted;
}

}  // namespace

bool names_any(std::string_view text, const std::set<std::string>& names) {
    const auto tokens = sql_tokens(text);
    return std::any_of(tokens.begin(), tokens.end(), [&](const SqlToken& token) {
        return is_identifier(token) && names.contains(identifier_name(token));
    });
}

bool names_other(std::string_view text, const std::set<std::string>& columns) {
    const auto tokens = sql_tokens(text);
    const auto begin = std::ranges::find(tokens, "(", &SqlToken::text);
    for (auto token = begin; token != tokens.end(); ++token) {
        const bool keyword = std::ranges::none_of(
            token->text, [](char c) { return c == '"' || (c >= 'a' && c <= 'z') || (c & 0x80) != 0; });
        if (!is_identifier(*token) || keyword || columns.contains(identifier_name(*token))) continue;
        const std::string_view before = std::prev(token)->text;
        const std::string_view after = std::next(token) == tokens.end() ? "" : std::next(token)->text;
        if (before != ":" && before != "COLLATE" && after != "(" && after != ".") return true;
    }
    return false;
}

bool names_whole_row(std::string_view text) {
    const auto tokens = sql_tokens(text);
    return std::adjacent_find(tokens.begin(), tokens.end(), [](const SqlToken& a, const SqlToken& b) {
               return a.text == "." && b.text == "*";
           }) != tokens.end();
}

std::string renamed(std::string_view text, const std::map<std::string, std::string>& names) {
    std::string out;
    std::size_t from = 0;
    for (const SqlToken& token : sql_tokens(text)) {
        const auto found = is_identifier(token) ? names.find(identifier_name(token)) : names.end();
        if (found == names.end()) continue;
        const auto at = static_cast<std::size_t>(token.text.data() - text.data());
        out += text.substr(from, at - from);
        out += sql::quote_identifier(found->second);
        from = at + token.text.size();
    }
    out += text.substr(from);
    return out;
}

}  // namespace pgsluice::rules
