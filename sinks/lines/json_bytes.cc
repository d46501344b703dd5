#include "sinks/lines/json_bytes.h"

#include <cstdint>
#include <cstring>

#include "stream/format/json_string.h"
#include "stream/format/utf8.h"

namespace pgsluice {

namespace {

constexpr std::uint64_t low_bits = 0x0101010101010101;
constexpr std::uint64_t high_bits = 0x8080808080808080;

// A high bit for every zero byte; also for some bytes above a zero one, which does not matter here.
constexpr std::uint64_t zero_bytes(std::uint64_t word) { return (word - low_bits) & ~word & high_bits; }

// Not a control character, a quote or a backslash.
constexpr bool is_plain(unsigned char c) { return c >= 0x20 && c != '"' && c != '\\'; }

// The end of the plain bytes from `at` on.
std::size_t skip_plain(std::string_view text, std::size_t at) {
    const char* data = text.data();
    while (at + 8 <= text.size()) {
        std::uint64_t word;
        std::memcpy(&word, data + at, 8);
        const std::uint64_t control = (word - low_bits * 0x20) & ~word & high_bits;
        const std::uint64_t special = zero_bytes(word ^ (low_bits * '"')) | zero_bytes(word ^ (low_bits * '\\'));
        if ((control | special) != 0) break;
        at += 8;
    }
    while (at < text.size() && is_plain(static_cast<unsigned char>(data[at]))) ++at;
    return at;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// The end of the JSON string whose opening quote is at `at`; npos when it is not valid, also when it has half of a
// surrogate pair, which the grammar allows and readers refuse.
std::size_t skip_json_string(std::string_view text, std::size_t at) {
    ++at;
    for (;;) {
        at = skip_plain(text, at);
        if (at == text.size()) return std::string_view::npos;
        if (text[at] == '"') return at + 1;
        const JsonEscape escape = read_json_escape(text.substr(at));  // of length 0 at a control character
        if (escape.length == 0 || escape.lone_surrogate()) return std::string_view::npos;
        at += escape.length;
    }
}

// The end of the number or word that starts at `at`; npos when it is neither.
std::size_t skip_json_word(std::string_view text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() && !is_space(text[end]) && text[end] != ',' && text[end] != ']' && text[end] != '}') ++end;
    const std::string_view word = text.substr(at, end - at);
    const bool valid = word == "true" || word == "false" || word == "null" || is_json_number(word);
    return valid ? end : std::string_view::npos;
}

}  // namespace

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
    if (!is_utf8(text)) return false;
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
