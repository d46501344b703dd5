// Text: characters are those of UTF-8.
#include <limits>

#include "rules/expressions/sql_value.h"
#include "rules/place.h"
#include "rules/values/utf8.h"
#include "stream/base/ascii.h"

namespace pgsluice::rules {
namespace {

void next_character(std::string_view& text) { text.remove_prefix(first_character(text)); }

[[noreturn]] void open_escape() { throw Unreadable{"the LIKE pattern ends with its escape character"}; }

enum class Match { yes, no, never };  // never: nor does the text's rest

Match match(std::string_view text, std::string_view pattern);

// After a '%'.
Match match_anywhere(std::string_view text, std::string_view pattern) {
    for (; !pattern.empty() && (pattern[0] == '%' || pattern[0] == '_'); pattern.remove_prefix(1)) {
        if (pattern[0] == '%') continue;
        if (text.empty()) return Match::never;
        next_character(text);
    }
    if (pattern.empty()) return Match::yes;
    if (pattern[0] == '\\' && pattern.size() < 2) open_escape();
    const char first = pattern[0] == '\\' ? pattern[1] : pattern[0];
    for (; !text.empty(); next_character(text)) {
        if (text[0] != first) continue;
        if (const Match found = match(text, pattern); found != Match::no) return found;
    }
    return Match::never;
}

// As like_match.c has it, also in what it says to a pattern that is wrong further on.
Match match(std::string_view text, std::string_view pattern) {
    if (pattern == "%") return Match::yes;
    while (!text.empty() && !pattern.empty()) {
        const char c = pattern[0];
        pattern.remove_prefix(1);
        if (c == '%') return match_anywhere(text, pattern);
        if (c == '_') {
            next_character(text);
            continue;
        }
        char wanted = c;
        if (c == '\\') {
            if (pattern.empty()) open_escape();
            wanted = pattern[0];
            pattern.remove_prefix(1);
        }
        if (wanted != text[0]) return Match::no;
        text.remove_prefix(1);
    }
    if (!text.empty()) return Match::no;
    return pattern.find_first_not_of('%') == std::string_view::npos ? Match::yes : Match::never;
}

}  // namespace

bool is_like(std::string_view text, std::string_view pattern) { return match(text, pattern) == Match::yes; }

std::int64_t length_of(std::string_view text) { return static_cast<std::int64_t>(count_characters(text)); }

std::string substring_of(std::string_view text, std::int64_t from, const std::int64_t* length) {
    if (length != nullptr && *length < 0) throw Unreadable{"a substring's length is negative"};
    if (from > 1) text.remove_prefix(prefix_bytes(text, static_cast<std::size_t>(from - 1)));
    if (length == nullptr) return std::string(text);
    const std::int64_t left = from < 1 ? *length + from - 1 : *length;
    return std::string(text.substr(0, left > 0 ? prefix_bytes(text, static_cast<std::size_t>(left)) : 0));
}

std::string left_of(std::string_view text, std::int64_t count) {
    const std::int64_t wanted = count < 0 ? length_of(text) + count : count;
    return std::string(text.substr(0, wanted > 0 ? prefix_bytes(text, static_cast<std::size_t>(wanted)) : 0));
}

std::string right_of(std::string_view text, std::int64_t count) {
    // PostgreSQL's own negation overflows there.
    if (count == std::numeric_limits<std::int32_t>::min()) throw Unreadable{"the number is out of range"};
    const std::int64_t skipped = count < 0 ? -count : length_of(text) - count;
    if (skipped > 0) text.remove_prefix(prefix_bytes(text, static_cast<std::size_t>(skipped)));
    return std::string(text);
}

std::string trimmed_of(std::string_view text, std::string_view characters, bool left, bool right) {
    const auto has = [&](std::string_view one) {
        for (std::string_view rest = characters; !rest.empty(); next_character(rest))
            if (rest.substr(0, first_character(rest)) == one) return true;
        return false;
    };
    while (left && !text.empty() && has(text.substr(0, first_character(text)))) next_character(text);
    while (right && !text.empty() && has(text.substr(text.size() - last_character(text))))
        text.remove_suffix(last_character(text));
    return std::string(text);
}

std::string replaced_of(std::string_view text, std::string_view what, std::string_view by) {
    if (what.empty()) return std::string(text);
    std::string result;
    for (;;) {
        const auto at = text.find(what);
        result.append(text.substr(0, at));
        if (at == std::string_view::npos) return result;
        result.append(by);
        text.remove_prefix(at + what.size());
    }
}

std::int64_t position_of(std::string_view text, std::string_view part) {
    const auto at = text.find(part);
    return at == std::string_view::npos ? 0 : length_of(text.substr(0, at)) + 1;
}

std::string in_ascii_case(std::string_view text, TextCase wanted) {
    std::string result(text);
    bool inside = false;
    for (char& c : result) {
        const bool upper = wanted == TextCase::upper || (wanted == TextCase::initial && !inside);
        c = ascii_lower(c);
        inside = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return result;
}

}  // namespace pgsluice::rules
