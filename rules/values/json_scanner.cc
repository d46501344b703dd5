#include "rules/values/json_scanner.h"

#include <algorithm>
#include <cstdint>

#include "rules/place.h"

namespace pgsluice::rules {
namespace {

constexpr int max_depth = 1000;  // of what is_json takes

[[noreturn]] void fail() { throw Unreadable{"it is not JSON"}; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_quote_or_bracket(char c) { return c == '"' || c == '{' || c == '}' || c == '[' || c == ']'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::size_t skip_digits(std::string_view text, std::size_t at) {
    const std::size_t start = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    if (at == start) fail();
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
    if (at != text.size()) fail();
}

unsigned hex4(std::string_view token, std::size_t at) {
    if (at + 4 > token.size()) fail();
    unsigned value = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
        const char c = token[i];
        const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
        if (!is_digit(lower) && (lower < 'a' || lower > 'f')) fail();
        value = value * 16 + static_cast<unsigned>(is_digit(lower) ? lower - '0' : lower - 'a' + 10);
    }
    return value;
}

void append_utf8(std::string& out, unsigned code) {
    const auto put = [&out](unsigned byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
        put(0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            put(0xe0 | code >> 12);
        } else {
            put(0xf0 | code >> 18);
            put(0x80 | (code >> 12 & 0x3f));
        }
        put(0x80 | (code >> 6 & 0x3f));
    }
    put(0x80 | (code & 0x3f));
}

// At the four digits after \u; returns where the escape ends.
std::size_t append_escape(std::string& out, std::string_view token, std::size_t at) {
    constexpr unsigned replacement_character = 0xfffd;
    const unsigned first = hex4(token, at);
    at += 4;
    if (first < 0xd800 || first > 0xdfff) {
        append_utf8(out, first);
        return at;
    }
    if (first < 0xdc00 && token.substr(at).starts_with("\\u")) {
        const unsigned second = hex4(token, at + 2);
        if (second >= 0xdc00 && second <= 0xdfff) {
            append_utf8(out, 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
            return at + 6;
        }
    }
    append_utf8(out, replacement_character);
    return at;
}

void check_string(std::string_view token) {
    std::string decoded;
    decode_json_string(token, decoded);
    for (const char c : token)
        if (static_cast<unsigned char>(c) < 0x20) fail();
}

void check_value(JsonCursor& cursor, int depth) {
    if (depth > max_depth) fail();
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
    if (!skip(c)) fail();
}

std::string_view JsonCursor::string() {
    if (peek() != '"') fail();
    const std::size_t start = at_++;
    while (true) {
        while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\') ++at_;
        if (at_ == text_.size()) fail();
        if (text_[at_] == '"') break;
        at_ += 2;
        if (at_ > text_.size()) {
            at_ = text_.size();
            fail();
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
        if (at_ == text_.size()) fail();
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
    if (at_ != text_.size()) fail();
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
    out.clear();
    token = token.substr(1, token.size() - 2);
    for (std::size_t at = 0; at < token.size();) {
        const std::size_t escape = std::min(token.find('\\', at), token.size());
        out.append(token, at, escape - at);
        at = escape;
        if (at == token.size()) break;
        if (at + 1 == token.size()) fail();
        const char escaped = token[at + 1];
        at += 2;
        switch (escaped) {
            case '"':
            case '\\':
            case '/':
                out += escaped;
                break;
            case 'b':
                out += '\b';
                break;
            case 'f':
                out += '\f';
                break;
            case 'n':
                out += '\n';
                break;
            case 'r':
                out += '\r';
                break;
            case 't':
                out += '\t';
                break;
            case 'u':
                at = append_escape(out, token, at);
                break;
            default:
                fail();
        }
    }
}

void append_json_string(std::string& out, std::string_view text) {
    constexpr char hex_digits[] = "0123456789abcdef";
    const auto plain = [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; };
    out += '"';
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t start = at;
        while (at < text.size() && plain(text[at])) ++at;
        out.append(text, start, at - start);
        if (at == text.size()) break;
        const auto byte = static_cast<unsigned char>(text[at++]);
        if (byte >= 0x20) {
            out += '\\';
            out += static_cast<char>(byte);
        } else {
            out += "\\u00";
            out += hex_digits[byte >> 4];
            out += hex_digits[byte & 15];
        }
    }
    out += '"';
}

}  // namespace pgsluice::rules
