#include "rules/values/json_scanner.h"

#include "rules/place.h"
#include "stream/base/ascii.h"
#include "stream/format/json_string.h"

namespace pgsluice::rules {
namespace {

constexpr int max_depth = 1000;  // of what is_json takes

[[noreturn]] void refuse_json() { throw Unreadable{"it is not JSON"}; }

bool is_quote_or_bracket(char c) { return c == '"' || c == '{' || c == '}' || c == '[' || c == ']'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::size_t skip_digits(std::string_view text, std::size_t at) {
    const std::size_t start = at;
    while (at < text.size() && is_ascii_digit(text[at])) ++at;
    if (at == start) refuse_json();
    return at;
}

void check_number(std::string_view text) {
    std::size_t at = text.starts_with('-') ? 1 : 0;
    const bool zero = at < text.size() && text[at] == '0';
    at = zero ? at + 1 : skip_digits(text, at);
    if (at < text.size() && text[at] == '.') at = skip_digits(text, at + 1);
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
        at = skip_digits(text, at);
    }
    if (at != text.size()) refuse_json();
}

void check_string(std::string_view token) {
    std::string decoded;
    decode_json_string(token, decoded);
    for (const char c : token)
        if (static_cast<unsigned char>(c) < 0x20) refuse_json();
}

void check_value(JsonCursor& cursor, int depth) {
    if (depth > max_depth) refuse_json();
    if (cursor.peek() == '"') return check_string(cursor.string());
    const bool object = cursor.skip('{');
    if (!object && !cursor.skip('[')) {
        cursor.scalar();
        return;
    }
    const char end = object ? '}' : ']';
    if (cursor.skip(end)) return;
    do {
        if (object) {
            check_string(cursor.string());
            cursor.expect(':');
        }
        check_value(cursor, depth + 1);
    } while (cursor.skip(','));
    cursor.expect(end);
}

}  // namespace

char JsonCursor::peek() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
}

bool JsonCursor::skip(char c) {
    if (peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
}

void JsonCursor::expect(char c) {
    if (!skip(c)) refuse_json();
}

std::string_view JsonCursor::string() {
    if (peek() != '"') refuse_json();
    const std::size_t start = at_++;
    while (true) {
        while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\') ++at_;
        if (at_ == text_.size()) refuse_json();
        if (text_[at_] == '"') break;
        at_ += 2;
        if (at_ > text_.size()) {
            at_ = text_.size();
            refuse_json();
        }
    }
    ++at_;
    return text_.substr(start, at_ - start);
}

std::string_view JsonCursor::scalar() {
    peek();
    const std::size_t start = at_;
    while (at_ < text_.size() && !is_space(text_[at_]) && text_[at_] != ',' && text_[at_] != ']' && text_[at_] != '}')
        ++at_;
    const std::string_view token = text_.substr(start, at_ - start);
    if (token != "true" && token != "false" && token != "null") check_number(token);
    return token;
}

void JsonCursor::skip_value() {
    const char first = peek();
    if (first == '"') {
        string();
        return;
    }
    if (first != '{' && first != '[') {
        scalar();
        return;
    }
    for (std::size_t depth = 0;;) {
        while (at_ < text_.size() && !is_quote_or_bracket(text_[at_])) ++at_;
        if (at_ == text_.size()) refuse_json();
        const char c = text_[at_];
        if (c == '"') {
            string();
            continue;
        }
        ++at_;
        if (c == '{' || c == '[') {
            ++depth;
        } else if (--depth == 0) {
            return;
        }
    }
}

void JsonCursor::expect_end() {
    peek();
    if (at_ != text_.size()) refuse_json();
}

bool is_json(std::string_view text) {
    try {
        JsonCursor cursor(text);
        check_value(cursor, 0);
        cursor.expect_end();
        return true;
    } catch (const Unreadable&) {
        return false;
    }
}

void decode_json_string(std::string_view token, std::string& out) {
    out = token.substr(1, token.size() - 2);
    const auto size = unescape_json(out.data(), out.size(), LoneSurrogate::replace);
    if (!size) refuse_json();
    out.resize(*size);
}

}  // namespace pgsluice::rules
