// Finds the end of a statement as psql does (psqlscan.l), over lines that come one at a time, and its tokens on the
// way.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "worker/dump/statement.h"

namespace pgsluice::dump {

class Lexer {
   public:
    // Takes from `line`, which ends with its newline, up to the end of the statement, or all of it; returns how much.
    std::size_t take(std::string_view line, const Place& place);
    // Whether the semicolon has come.
    [[nodiscard]] bool complete() const noexcept { return complete_; }
    // Nothing of a statement has come yet: comments and blanks at most.
    [[nodiscard]] bool between() const noexcept { return mode_ == Mode::plain && statement_.tokens.empty(); }
    [[nodiscard]] const Statement& statement() const noexcept { return statement_; }
    // Forgets the statement, for the next one.
    void next();
    void plain_strings(bool plain) noexcept { plain_strings_ = plain; }

   private:
    enum class Mode { plain, text, escaped, identifier, dollar, comment };

    void take_plain(std::string_view line, const Place& place);
    void take_text(std::string_view line);
    void take_identifier(std::string_view line);
    void take_dollar(std::string_view line);
    void take_comment(std::string_view line);
    void take_word(std::string_view line, const Place& place);
    void take_number(std::string_view line, const Place& place);
    void take_symbol(char c, const Place& place);
    void open_string(Token::Kind kind, std::size_t prefix, const Place& place);
    bool open_dollar(std::string_view line, const Place& place);
    void begin_token(Token::Kind kind, const Place& place);
    void end_token();
    void note_block(std::string_view word);
    [[nodiscard]] bool makes_routine() const;

    Statement statement_;
    Mode mode_ = Mode::plain;
    std::size_t at_ = 0;      // in the line
    std::size_t origin_ = 0;  // where in the statement's text the line begins
    std::string tag_;         // of a dollar quote: "$tag$"
    int comments_ = 0;        // nested
    int parentheses_ = 0;
    int blocks_ = 0;  // BEGIN ATOMIC ... END of a routine's body
    bool complete_ = false;
    bool plain_strings_ = true;
};

}  // namespace pgsluice::dump
