#include "sinks/lines/json_bytes.h"

#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>

namespace pgsluice {

namespace {

constexpr std::uint64_t low_bits = 0x0101010101010101;
constexpr std::uint64_t high_bits = 0x8080808080808080;

// A high bit for every zero byte; also for some bytes above a zero one, which does not matter here.
constexpr std::uint64_t zero_bytes(std::uint64_t word) { return (word - low_bits) & ~word & high_bits; }

// Printable ASCII that stands in a JSON string as it is.
constexpr bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x80 && c != '"' && c != '\\'; }

// How many bytes from `at` on are plain.
std::size_t skip_plain(std::string_view text, std::size_t at) {
    const char* data = text.data();
    while (at + 8 <= text.size()) {
        std::uint64_t word;
        std::memcpy(&word, data + at, 8);
        const std::uint64_t control = (word - low_bits * 0x20) & ~word & high_bits;
        const std::uint64_t special = zero_bytes(word ^ (low_bits * '"')) | zero_bytes(word ^ (low_bits * '\\'));
        if ((control | special | (word & high_bits)) != 0) break;
        at += 8;
    }
    while (at < text.size() && is_plain(static_cast<unsigned char>(data[at]))) ++at;
    return at;
}

bool is_continuation(std::string_view text, std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80;
}

// The length of the multi-byte UTF-8 character at `at`, 0 when there is none (Unicode standard, table 3-7: no overlong
// forms, no surrogates, nothing above U+10FFFF).
std::size_t utf8_length(std::string_view text, std::size_t at) {
    const auto first = static_cast<unsigned char>(text[at]);
    if (!is_continuation(text, at + 1)) return 0;
    const auto second = static_cast<unsigned char>(text[at + 1]);
    if (first >= 0xC2 && first <= 0xDF) return 2;
    if (!is_continuation(text, at + 2)) return 0;
    if (first >= 0xE0 && first <= 0xEF) {
        if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
        return 3;
    }
    if (!is_continuation(text, at + 3) || first < 0xF0 || first > 0xF4) return 0;
    if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
    return 4;
}

// Skips valid multi-byte characters; the text's end, the first byte of another kind, or of an invalid one.
std::size_t skip_utf8(std::string_view text, std::size_t at) {
    while (at < text.size() && static_cast<unsigned char>(text[at]) >= 0x80) {
        const std::size_t length = utf8_length(text, at);
        if (length == 0) return at;
        at += length;
    }
    return at;
}

constexpr char hex_digits[] = "0123456789abcdef";

void append_escape(std::string& out, unsigned char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        default: {
            const char escape[] = {'\\', 'u', '0', '0', hex_digits[c >> 4U], hex_digits[c & 15U]};
            out.append(escape, sizeof escape);
        }
    }
}

void append_hex_string(std::string& out, std::string_view bytes) {
    out += "\"\\\\x";
    for (const char byte : bytes) {
        const auto c = static_cast<unsigned char>(byte);
        out += hex_digits[c >> 4U];
        out += hex_digits[c & 15U];
    }
    out += '"';
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// The code unit of the escape `\uXXXX` at `at`; nothing when it is none.
std::optional<unsigned> unicode_escape(std::string_view text, std::size_t at) {
    if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
    unsigned unit = 0;
    const char* end = text.data() + at + 6;
    const auto parsed = std::from_chars(text.data() + at + 2, end, unit, 16);
    return parsed.ptr == end && parsed.ec == std::errc() ? std::optional(unit) : std::nullopt;
}

bool is_surrogate(unsigned unit, unsigned first) { return unit >= first && unit < first + 0x400; }

// Behind the escape whose backslash is at `at`; npos when it is not one of JSON's, or half of a surrogate pair, which
// the grammar allows and readers refuse.
std::size_t skip_json_escape(std::string_view text, std::size_t at) {
    if (at + 1 >= text.size()) return std::string_view::npos;
    const char c = text[at + 1];
    if (c == 'u') {
        const auto unit = unicode_escape(text, at);
        if (!unit || is_surrogate(*unit, 0xDC00)) return std::string_view::npos;
        if (!is_surrogate(*unit, 0xD800)) return at + 6;
        const auto low = unicode_escape(text, at + 6);
        return low && is_surrogate(*low, 0xDC00) ? at + 12 : std::string_view::npos;
    }
    return std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos ? std::string_view::npos : at + 2;
}

// Behind the JSON string whose opening quote is at `at`; npos when it is not valid.
std::size_t skip_json_string(std::string_view text, std::size_t at) {
    ++at;
    for (;;) {
        at = skip_plain(text, at);
        if (at == text.size()) return std::string_view::npos;
        if (text[at] == '"') return at + 1;
        if (text[at] == '\\') {
            at = skip_json_escape(text, at);
            if (at == std::string_view::npos) return at;
            continue;
        }
        const std::size_t next = skip_utf8(text, at);
        if (next == at) return std::string_view::npos;  // a control character, or not UTF-8
        at = next;
    }
}

// Behind the number or word that starts at `at`; npos when it is neither.
std::size_t skip_json_word(std::string_view text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() && !is_space(text[end]) && text[end] != ',' && text[end] != ']' && text[end] != '}') ++end;
    const std::string_view word = text.substr(at, end - at);
    const bool valid = word == "true" || word == "false" || word == "null" || is_json_number(word);
    return valid ? end : std::string_view::npos;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    const std::size_t mark = out.size();
    out += '"';
    std::size_t done = 0;
    for (std::size_t at = 0;;) {
        at = skip_plain(text, at);
        if (at == text.size()) break;
        const auto c = static_cast<unsigned char>(text[at]);
        if (c >= 0x80) {
            const std::size_t next = skip_utf8(text, at);
            if (next == at) {
                out.resize(mark);
                append_hex_string(out, text);
                return;
            }
            at = next;
            continue;
        }
        out.append(text, done, at - done);
        append_escape(out, c);
        done = ++at;
    }
    out.append(text, done);
    out += '"';
}

bool is_json_number(std::string_view text) noexcept {
    const char* at = text.data();
    const char* const end = at + text.size();
    const auto digits = [&] {
        const char* const from = at;
        while (at != end && is_digit(*at)) ++at;
        return at != from;
    };
    if (at != end && *at == '-') ++at;
    const char* const first = at;
    if (!digits() || (*first == '0' && at - first > 1)) return false;
    if (at != end && *at == '.') {
        ++at;
        if (!digits()) return false;
    }
    if (at != end && (*at == 'e' || *at == 'E')) {
        ++at;
        if (at != end && (*at == '+' || *at == '-')) ++at;
        if (!digits()) return false;
    }
    return at == end;
}

bool JsonCompactor::append(std::string& out, std::string_view text) {
    const std::size_t mark = out.size();
    open_.clear();
    if (tokens(out, text)) return true;
    out.resize(mark);
    return false;
}

bool JsonCompactor::tokens(std::string& out, std::string_view text) {
    enum class Expect { value, value_or_end, key, key_or_end, colon, comma_or_end, nothing };
    Expect expect = Expect::value;
    const auto wants_value = [&] { return expect == Expect::value || expect == Expect::value_or_end; };
    const auto after_value = [&] { return open_.empty() ? Expect::nothing : Expect::comma_or_end; };
    for (std::size_t at = 0;;) {
        while (at < text.size() && is_space(text[at])) ++at;
        if (at == text.size()) return expect == Expect::nothing;
        const char c = text[at];
        std::size_t end = at + 1;
        if (c == '{' || c == '[') {
            if (!wants_value()) return false;
            open_ += c;
            expect = c == '{' ? Expect::key_or_end : Expect::value_or_end;
        } else if (c == '}' || c == ']') {
            const Expect empty = c == '}' ? Expect::key_or_end : Expect::value_or_end;
            if (open_.empty() || open_.back() != (c == '}' ? '{' : '[')) return false;
            if (expect != empty && expect != Expect::comma_or_end) return false;
            open_.pop_back();
            expect = after_value();
        } else if (c == ',') {
            if (expect != Expect::comma_or_end) return false;
            expect = open_.back() == '{' ? Expect::key : Expect::value;
        } else if (c == ':') {
            if (expect != Expect::colon) return false;
            expect = Expect::value;
        } else if (c == '"' && (expect == Expect::key || expect == Expect::key_or_end)) {
            end = skip_json_string(text, at);
            expect = Expect::colon;
        } else {
            if (!wants_value()) return false;
            end = c == '"' ? skip_json_string(text, at) : skip_json_word(text, at);
            expect = after_value();
        }
        if (end == std::string_view::npos) return false;
        out.append(text, at, end - at);
        at = end;
    }
}

}  // namespace pgsluice
