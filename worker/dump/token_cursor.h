// Goes through a statement's tokens.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/change.h"
#include "worker/dump/statement.h"

namespace pgsluice::dump {

inline constexpr std::size_t max_statement_bytes = 1UL << 30;

// The same word, in any case; `keyword` in capitals.
bool is_word(std::string_view word, std::string_view keyword);

class TokenCursor {
   public:
    explicit TokenCursor(const Statement& statement) : statement_(&statement) {}

    [[nodiscard]] bool at_end() const { return at_ == statement_->tokens.size(); }
    // The next token; null at the end.
    [[nodiscard]] const Token* peek(std::size_t ahead = 0) const;
    [[nodiscard]] std::string_view text(const Token& token) const { return statement_->at(token); }
    // What a string says; of another token it throws.
    [[nodiscard]] std::string string(const Token& token) const;
    // Whether the next is this keyword, without quotes.
    [[nodiscard]] bool is(std::string_view keyword, std::size_t ahead = 0) const;
    [[nodiscard]] bool is(char symbol, std::size_t ahead = 0) const;
    // Takes it if it is.
    bool take(std::string_view keyword);
    bool take(char symbol);
    // All of them or none.
    bool take_all(std::initializer_list<std::string_view> keywords);
    const Token* take() { return at_end() ? nullptr : &statement_->tokens[at_++]; }
    // Throws where the next is another.
    void expect(std::string_view keyword);
    void expect(char symbol);
    void expect_end();
    std::string identifier();
    // "table" (in `schema`) or "schema.table".
    QualifiedName name(const std::string& schema);
    std::vector<std::string> identifiers_in_parentheses();
    // How many were taken, and one of them.
    [[nodiscard]] std::size_t at() const noexcept { return at_; }
    const Token& operator[](std::size_t number) const { return statement_->tokens[number]; }
    // Up to one of these symbols, or the end, outside of parentheses and brackets.
    void skip_to(std::string_view symbols);
    // Past what closes the parenthesis that is next.
    void skip_parentheses();
    [[noreturn]] void refuse(std::string_view reason, std::string hint = {}) const;

   private:
    const Statement* statement_;
    std::size_t at_ = 0;
};

// An identifier's name: without quotes, or in lower case.
std::string identifier_of(std::string_view text, const Token& token);
// What a string says. Throws for one that cannot be read.
std::string string_of(const Statement& statement, const Token& token);

}  // namespace pgsluice::dump
