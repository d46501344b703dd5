// One SQL statement of a dump, cut into tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "worker/dump/place.h"

namespace pgsluice::dump {

struct Token {
    enum class Kind : std::uint8_t {
        word,     // a keyword or an identifier without quotes
        quoted,   // "identifier"
        string,   // 'text', whose backslashes are as standard_conforming_strings says
        escapes,  // E'text'
        bits,     // B'0101'
        other,    // X'..', N'..', U&'..', $$..$$
        number,
        symbol,  // one character
    };
    Kind kind = Kind::symbol;
    std::size_t begin = 0;  // in the statement's text, with its quotes
    std::size_t end = 0;
};

struct Statement {
    std::string text;
    std::vector<Token> tokens;  // without the semicolon
    Place place;                // of its first token
    bool plain_strings = true;  // standard_conforming_strings

    [[nodiscard]] std::string_view at(const Token& token) const {
        return std::string_view(text).substr(token.begin, token.end - token.begin);
    }
};

}  // namespace pgsluice::dump
