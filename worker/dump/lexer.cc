#include "worker/dump/lexer.h"

#include <algorithm>
#include <cctype>

#include "worker/dump/token_cursor.h"

namespace pgsluice::dump {

namespace {

bool begins_word(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return std::isalpha(byte) != 0 || c == '_' || byte >= 0x80;
}

bool in_word(char c) { return begins_word(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '$'; }

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// What a word before a quote makes of the string.
Token::Kind kind_of(std::string_view prefix) {
    if (is_word(prefix, "E")) return Token::Kind::escapes;
    return is_word(prefix, "B") ? Token::Kind::bits : Token::Kind::other;
}

}  // namespace

void Lexer::next() {
    statement_.text.clear();
    statement_.tokens.clear();
    complete_ = false;
    parentheses_ = blocks_ = 0;
}

std::size_t Lexer::take(std::string_view line, const Place& place) {
    if (between()) statement_.text.clear();
    origin_ = statement_.text.size();
    statement_.text.append(line);
    if (statement_.text.size() > max_statement_bytes)
        throw refused(statement_.place, "the statement is longer than 1 GiB");
    at_ = 0;
    while (at_ < line.size() && !complete_) {
        switch (mode_) {
            case Mode::plain:
                take_plain(line, place);
                break;
            case Mode::text:
            case Mode::escaped:
                take_text(line);
                break;
            case Mode::identifier:
                take_identifier(line);
                break;
            case Mode::dollar:
                take_dollar(line);
                break;
            case Mode::comment:
                take_comment(line);
                break;
        }
    }
    return at_;
}

void Lexer::begin_token(Token::Kind kind, const Place& place) {
    if (statement_.tokens.empty()) {
        statement_.place = place;
        statement_.plain_strings = plain_strings_;
    }
    statement_.tokens.push_back({kind, origin_ + at_, origin_ + at_});
}

void Lexer::end_token() { statement_.tokens.back().end = origin_ + at_; }

void Lexer::take_plain(std::string_view line, const Place& place) {
    const char c = line[at_];
    const std::string_view rest = line.substr(at_);
    if (c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\v') {
        ++at_;
    } else if (c == '\r') {
        throw refused(place, "the line ends in CR LF, so something has changed the dump",
                      "Give the dump as pg_dump wrote it, with lines that end in LF.");
    } else if (rest.starts_with("--")) {
        at_ = line.size();
    } else if (rest.starts_with("/*")) {
        mode_ = Mode::comment;
        comments_ = 1;
        at_ += 2;
    } else if (c == '\'') {
        open_string(Token::Kind::string, 0, place);
    } else if (c == '"') {
        begin_token(Token::Kind::quoted, place);
        mode_ = Mode::identifier;
        ++at_;
    } else if (begins_word(c)) {
        take_word(line, place);
    } else if (is_digit(c) || (c == '.' && rest.size() > 1 && is_digit(rest[1]))) {
        take_number(line, place);
    } else if (c == '$' && open_dollar(line, place)) {
    } else {
        take_symbol(c, place);
    }
}

void Lexer::take_word(std::string_view line, const Place& place) {
    std::size_t end = at_;
    while (end < line.size() && in_word(line[end])) ++end;
    const std::string_view word = line.substr(at_, end - at_);
    const bool prefixes = end < line.size() && line[end] == '\'' && word.size() == 1 &&
                          std::string_view("eEbBxXnN").find(word[0]) != std::string_view::npos;
    if (prefixes) return open_string(kind_of(word), 1, place);
    if (is_word(word, "U") && (line.substr(end).starts_with("&'") || line.substr(end).starts_with("&\"")))
        throw refused(place, "U& strings and identifiers are not read");
    begin_token(Token::Kind::word, place);
    at_ = end;
    end_token();
    note_block(word);
}

void Lexer::take_number(std::string_view line, const Place& place) {
    begin_token(Token::Kind::number, place);
    while (at_ < line.size()) {
        const char c = line[at_];
        const bool sign = (c == '+' || c == '-') && (line[at_ - 1] == 'e' || line[at_ - 1] == 'E');
        if (!sign && c != '.' && std::isalnum(static_cast<unsigned char>(c)) == 0) break;
        ++at_;
    }
    end_token();
}

void Lexer::take_symbol(char c, const Place& place) {
    if (c == '\\') throw refused(place, "a backslash where none may be");
    if (c == '(') ++parentheses_;
    if (c == ')') --parentheses_;
    if (c == ';' && parentheses_ <= 0 && blocks_ == 0) {
        ++at_;
        complete_ = !statement_.tokens.empty();
        return;
    }
    begin_token(Token::Kind::symbol, place);
    ++at_;
    end_token();
}

void Lexer::open_string(Token::Kind kind, std::size_t prefix, const Place& place) {
    begin_token(kind, place);
    const bool escapes = kind == Token::Kind::escapes || (kind == Token::Kind::string && !plain_strings_);
    mode_ = escapes ? Mode::escaped : Mode::text;
    at_ += prefix + 1;
}

// A doubled quote ends the string and begins another, which comes to the same.
void Lexer::take_text(std::string_view line) {
    const bool escapes = mode_ == Mode::escaped;
    for (;;) {
        at_ = std::min(line.find_first_of(escapes ? "'\\" : "'", at_), line.size());
        if (at_ == line.size()) return;
        if (line[at_] == '\'' && !line.substr(at_).starts_with("''")) break;
        at_ = std::min(at_ + 2, line.size());
    }
    ++at_;
    mode_ = Mode::plain;
    end_token();
}

void Lexer::take_identifier(std::string_view line) {
    for (;;) {
        at_ = std::min(line.find('"', at_), line.size());
        if (at_ == line.size()) return;
        if (!line.substr(at_).starts_with("\"\"")) break;
        at_ += 2;
    }
    ++at_;
    mode_ = Mode::plain;
    end_token();
}

// $$ or $tag$; false for a parameter ($1).
bool Lexer::open_dollar(std::string_view line, const Place& place) {
    std::size_t end = at_ + 1;
    while (end < line.size() && in_word(line[end]) && line[end] != '$') ++end;
    if (end == line.size() || line[end] != '$' || is_digit(line[at_ + 1])) return false;
    tag_ = line.substr(at_, end + 1 - at_);
    begin_token(Token::Kind::other, place);
    mode_ = Mode::dollar;
    at_ = end + 1;
    return true;
}

void Lexer::take_dollar(std::string_view line) {
    const std::size_t found = line.find(tag_, at_);
    if (found == std::string_view::npos) {
        at_ = line.size();
        return;
    }
    at_ = found + tag_.size();
    mode_ = Mode::plain;
    end_token();
}

void Lexer::take_comment(std::string_view line) {
    while (at_ < line.size() && comments_ > 0) {
        const std::string_view rest = line.substr(at_);
        const bool opens = rest.starts_with("/*");
        const bool closes = rest.starts_with("*/");
        comments_ += opens ? 1 : closes ? -1 : 0;
        at_ += opens || closes ? 2 : 1;
    }
    if (comments_ == 0) mode_ = Mode::plain;
}

bool Lexer::makes_routine() const {
    TokenCursor tokens(statement_);
    if (!tokens.take("CREATE")) return false;
    if (tokens.take("OR")) tokens.take("REPLACE");
    return tokens.take("FUNCTION") || tokens.take("PROCEDURE");
}

// Within the body of a routine in SQL-standard form, semicolons end nothing. CASE has an END, too.
void Lexer::note_block(std::string_view word) {
    const bool begins = is_word(word, "BEGIN");
    const bool chooses = blocks_ > 0 && is_word(word, "CASE");
    const bool ends = blocks_ > 0 && is_word(word, "END");
    if ((!begins && !chooses && !ends) || parentheses_ > 0 || !makes_routine()) return;
    blocks_ += ends ? -1 : 1;
}

}  // namespace pgsluice::dump
