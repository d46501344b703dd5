// Text: characters are those of UTF-8.
#include "rules/expressions/sql_value.h"
#include "rules/place.h"
#include "rules/values/utf8.h"

namespace pgsluice::rules {
namespace {

void next_character(std::string_view& text) { text.remove_prefix(first_character(text)); }

[[noreturn]] void open_escape() { throw Unreadable{"the LIKE pattern ends with its escape character"}; }

enum class Match { yes, no, never };  // never: nor does the text's rest

Match match(std::string_view text, std::string_view pattern);

// Behind a '%'.
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

}  // namespace pgsluice::rules
