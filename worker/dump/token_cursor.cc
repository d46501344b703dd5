#include "worker/dump/token_cursor.h"

#include <algorithm>
#include <cctype>

#include "stream/base/ascii.h"
#include "stream/base/hex.h"

namespace pgsluice::dump {

namespace {

std::string undoubled(std::string_view text, char quote) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        out += text[i];
        if (text[i] == quote) ++i;
    }
    return out;
}

bool octal(char c) { return c >= '0' && c <= '7'; }

// After a backslash of an E'' string; moves `at` past the escape.
char take_escape(const Statement& statement, std::string_view text, std::size_t& at) {
    const char c = text[at++];
    constexpr std::string_view letters = "bfnrt";
    constexpr std::string_view meant = "\b\f\n\r\t";
    if (const auto found = letters.find(c); found != std::string_view::npos) return meant[found];
    if (c == 'u' || c == 'U') throw refused(statement.place, "an escape of a string is not read");
    int byte = 0;
    if (c == 'x' && at < text.size() && hex_digit(text[at]) >= 0) {
        for (int i = 0; i < 2 && at < text.size() && hex_digit(text[at]) >= 0; ++i)
            byte = byte * 16 + hex_digit(text[at++]);
        return static_cast<char>(byte);
    }
    if (!octal(c)) return c;
    byte = c - '0';
    for (int i = 0; i < 2 && at < text.size() && octal(text[at]); ++i) byte = byte * 8 + (text[at++] - '0');
    return static_cast<char>(byte);
}

std::string unescaped(const Statement& statement, std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at++];
        if (c == '\\' && at < text.size()) {
            out += take_escape(statement, text, at);
            continue;
        }
        out += c;
        if (c == '\'') ++at;  // doubled
    }
    return out;
}

}  // namespace

bool is_word(std::string_view word, std::string_view keyword) {
    return std::ranges::equal(word, keyword, [](char a, char b) { return ascii_lower(a) == ascii_lower(b); });
}

const Token* TokenCursor::peek(std::size_t ahead) const {
    return at_ + ahead < statement_->tokens.size() ? &statement_->tokens[at_ + ahead] : nullptr;
}

bool TokenCursor::is(std::string_view keyword, std::size_t ahead) const {
    const Token* token = peek(ahead);
    return token != nullptr && token->kind == Token::Kind::word && is_word(text(*token), keyword);
}

bool TokenCursor::is(char symbol, std::size_t ahead) const {
    const Token* token = peek(ahead);
    return token != nullptr && token->kind == Token::Kind::symbol && text(*token)[0] == symbol;
}

bool TokenCursor::take(std::string_view keyword) {
    if (!is(keyword)) return false;
    ++at_;
    return true;
}

bool TokenCursor::take(char symbol) {
    if (!is(symbol)) return false;
    ++at_;
    return true;
}

bool TokenCursor::take_all(std::initializer_list<std::string_view> keywords) {
    for (std::size_t i = 0; i < keywords.size(); ++i)
        if (!is(keywords.begin()[i], i)) return false;
    at_ += keywords.size();
    return true;
}

std::string TokenCursor::string(const Token& token) const {
    if (token.kind != Token::Kind::string && token.kind != Token::Kind::escapes)
        refuse("the statement has no string where one is expected");
    return string_of(*statement_, token);
}

void TokenCursor::expect(std::string_view keyword) {
    if (!take(keyword)) refuse(fmt::format("the statement has no {} where it is expected", keyword));
}

void TokenCursor::expect(char symbol) {
    if (!take(symbol)) refuse(fmt::format("the statement has no '{}' where it is expected", symbol));
}

void TokenCursor::expect_end() {
    if (!at_end()) refuse("the statement has more than is understood");
}

std::string TokenCursor::identifier() {
    const Token* token = take();
    const bool named = token != nullptr && (token->kind == Token::Kind::word || token->kind == Token::Kind::quoted);
    if (!named) refuse("the statement has no name where one is expected");
    return identifier_of(text(*token), *token);
}

QualifiedName TokenCursor::name(const std::string& schema) {
    std::string first = identifier();
    if (!take('.')) return {schema, std::move(first)};
    std::string table = identifier();
    return {std::move(first), std::move(table)};
}

std::vector<std::string> TokenCursor::identifiers_in_parentheses() {
    std::vector<std::string> names;
    expect('(');
    do names.push_back(identifier());
    while (take(','));
    expect(')');
    return names;
}

void TokenCursor::skip_parentheses() {
    int depth = 0;
    do {
        if (is('(') || is('[')) ++depth;
        if (is(')') || is(']')) --depth;
        if (take() == nullptr) refuse("a parenthesis is not closed");
    } while (depth > 0);
}

void TokenCursor::skip_to(std::string_view symbols) {
    while (!at_end()) {
        if (std::ranges::any_of(symbols, [this](char symbol) { return is(symbol); })) return;
        if (is('(') || is('['))
            skip_parentheses();
        else
            take();
    }
}

void TokenCursor::refuse(std::string_view reason, std::string hint) const {
    throw refused(statement_->place, reason, std::move(hint));
}

std::string identifier_of(std::string_view text, const Token& token) {
    if (token.kind == Token::Kind::quoted) return undoubled(text.substr(1, text.size() - 2), '"');
    std::string name(text);
    std::ranges::transform(name, name.begin(), ascii_lower);
    return name;
}

std::string string_of(const Statement& statement, const Token& token) {
    std::string_view text = statement.at(token);
    text = text.substr(text.find('\'') + 1);
    text.remove_suffix(1);
    const bool escapes =
        token.kind == Token::Kind::escapes || (token.kind == Token::Kind::string && !statement.plain_strings);
    return escapes ? unescaped(statement, text) : undoubled(text, '\'');
}

}  // namespace pgsluice::dump
