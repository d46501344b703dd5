// SQL text cut into tokens, as PostgreSQL's scanner does it (manual, "Lexical Structure"; standard_conforming_strings
// on). Knows no grammar.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::rules {

struct SqlToken {
    enum class Kind {
        word,     // a key word or a bare identifier
        quoted,   // an identifier in double quotes
        literal,  // any string or number, or what is left of the text when a quote is not closed
        comment,
        other,  // one character
    };
    Kind kind;
    std::string_view text;  // with its quotes
};

// White space is between the tokens. The views point into `text`.
std::vector<SqlToken> sql_tokens(std::string_view text);

// The name an identifier means: bare ones in lower case, quoted ones without their quotes.
std::string identifier_name(const SqlToken& token);

// Whether it is one statement whose first key words are those of the command tag, others such as UNIQUE between them
// aside: "CREATE UNIQUE INDEX ..." for CREATE INDEX. False for a DO block or a function call that ran the command.
bool is_statement(const std::vector<SqlToken>& tokens, std::string_view tag);

// Whether the text may have been read otherwise than here: a backslash in a plain string escapes the next character
// where standard_conforming_strings is off.
bool is_doubtful(const std::vector<SqlToken>& tokens);

// Whether it holds a value: a string or number that is no length or precision of a type, as in varchar(20); TRUE,
// FALSE; CURRENT_USER and its like.
bool has_literals(const std::vector<SqlToken>& tokens);
// The text with '?' for those, and without comments.
std::string without_literals(std::string_view text);

}  // namespace pgsluice::rules
