#include "rules/transforms/row/functions.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "rules/place.h"
#include "rules/transforms/fake/locale.h"
#include "rules/values/utf8.h"

namespace pgsluice::rules {
namespace {

bool is_of_words(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c & '\x80') != 0;
}

std::string lower(std::string_view text, std::string_view /*argument*/) { return lower_letters(text); }
std::string upper(std::string_view text, std::string_view /*argument*/) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

// Words of plain letters, with a hyphen between each.
std::string slugify(std::string_view text, std::string_view /*argument*/) {
    std::string out;
    for (auto word = take_word(text); !word.empty(); word = take_word(text)) {
        std::string plain;
        append_plain(plain, word);
        if (!out.empty() && !plain.empty()) out += '-';
        out += plain;
    }
    return out;
}

std::string before(std::string_view text, std::string_view argument) {
    return std::string(text.substr(0, text.find(argument)));
}
std::string after(std::string_view text, std::string_view argument) {
    const auto at = text.find(argument);
    return at == std::string_view::npos ? std::string{} : std::string(text.substr(at + argument.size()));
}
std::string first(std::string_view text, std::string_view argument) {
    std::size_t count = 0;
    std::from_chars(argument.data(), argument.data() + argument.size(), count);
    return std::string(text.substr(0, prefix_bytes(text, count)));
}

// year-month-day, and perhaps more.
std::string_view date_part(std::string_view text, std::size_t part) {
    if (text.empty()) return text;
    const auto month = text.find('-');
    const bool dated = month >= 4 && month != std::string_view::npos && text.size() >= month + 6 &&
                       text[month + 3] == '-' && !text.ends_with(" BC");
    if (!dated) throw Unreadable{"a date that a template takes a part of has no year after Christ"};
    return part == 0 ? text.substr(0, month) : text.substr(month + 3 * part - 2, 2);
}
std::string year(std::string_view text, std::string_view /*argument*/) { return std::string(date_part(text, 0)); }
std::string month(std::string_view text, std::string_view /*argument*/) { return std::string(date_part(text, 1)); }
std::string day(std::string_view text, std::string_view /*argument*/) { return std::string(date_part(text, 2)); }

constexpr std::array<TemplateFunction, 9> functions{{{"lower", Takes::nothing, false, lower},
                                                     {"upper", Takes::nothing, false, upper},
                                                     {"slugify", Takes::nothing, false, slugify},
                                                     {"before", Takes::text, false, before},
                                                     {"after", Takes::text, false, after},
                                                     {"first", Takes::number, false, first},
                                                     {"year", Takes::nothing, true, year},
                                                     {"month", Takes::nothing, true, month},
                                                     {"day", Takes::nothing, true, day}}};

}  // namespace

std::string_view take_word(std::string_view& text) {
    const auto begin = std::ranges::find_if(text, is_of_words);
    const auto end = std::find_if_not(begin, text.end(), is_of_words);
    text = {end, text.end()};
    return {begin, end};
}

std::string lower_letters(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

const TemplateFunction* find_template_function(std::string_view name) {
    const auto* found = std::ranges::find(functions, name, &TemplateFunction::name);
    return found == functions.end() ? nullptr : found;
}

std::string template_function_names() {
    std::string names;
    for (const TemplateFunction& one : functions) names += (names.empty() ? "" : ", ") + std::string(one.name);
    return names;
}

}  // namespace pgsluice::rules
