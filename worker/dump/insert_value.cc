#include "worker/dump/insert_value.h"

#include <array>

#include "stream/format/copy_text.h"

namespace pgsluice::dump {

namespace {

void append(std::string& line, const Value& value) {
    const std::array<Value, 1> row{value};
    append_copy_line(line, row);
    line.pop_back();  // the newline
}

}  // namespace

void append_insert_value(std::string& line, const Statement& statement, TokenCursor& tokens) {
    if (tokens.take("NULL")) return append(line, Value());
    if (tokens.take("TRUE")) return append(line, Value("t"));
    if (tokens.take("FALSE")) return append(line, Value("f"));
    const bool negative = tokens.take('-');
    const Token* token = tokens.take();
    if (token != nullptr && token->kind == Token::Kind::number) {
        if (negative) line += '-';
        return append(line, Value(tokens.text(*token)));
    }
    const bool text = token != nullptr && (token->kind == Token::Kind::string || token->kind == Token::Kind::escapes ||
                                           token->kind == Token::Kind::bits);
    if (!text || negative) tokens.refuse("a value of an INSERT is not understood");
    append(line, Value(string_of(statement, *token)));
}

}  // namespace pgsluice::dump
