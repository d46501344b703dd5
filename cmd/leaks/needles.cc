#include "cmd/leaks/needles.h"

#include <algorithm>
#include <bit>

#include "rules/personal/name_lists.h"

namespace pgsluice {
namespace {

constexpr std::size_t least_characters = 6;  // of a value with letters
constexpr std::size_t least_of_a_word = 8;   // of a single word of letters only
constexpr std::size_t least_digits = 9;      // of a number: a date has eight
constexpr std::size_t least_often = 5;       // in so many rows, and
constexpr std::size_t often_percent = 2;     // so many of them, a value is common
constexpr std::size_t most_windows = 32;     // of one long text

std::string_view word(std::string_view text, const Token& token) {
    return text.substr(token.begin, token.end - token.begin);
}

bool is_address(std::string_view number) { return std::ranges::count(number, '.') == 3; }

// Of words of a list and numbers only.
bool is_makeable(std::string_view text, const std::vector<Token>& tokens) {
    return std::ranges::all_of(tokens, [&](const Token& token) {
        return !token.letters || rules::in_any_list(rules::lower_ascii(word(text, token)));
    });
}

}  // namespace

Telling is_telling(std::string_view text) {
    const std::vector<Token> tokens = tokens_of(text);
    std::size_t characters = 0;
    bool letters = false;
    for (const Token& token : tokens) {
        characters += token.end - token.begin;
        letters = letters || token.letters;
    }
    if (!letters) {
        const bool address = tokens.size() == 1 && is_address(word(text, tokens[0]));
        return address || characters >= least_digits ? Telling::yes : Telling::too_short;
    }
    const bool one_word = tokens.size() == 1 && !tokens[0].digits;
    if (characters < (one_word ? least_of_a_word : least_characters)) return Telling::too_short;
    const std::string lower = rules::lower_ascii(text);
    return (one_word && rules::in_any_list(lower)) || rules::is_list_line(lower) ? Telling::common : Telling::yes;
}

Needles::Column::Column(Needles& needles, std::string name) : needles_(needles), column_{std::move(name)} {}

void Needles::Column::skip(std::string reason) { column_.skipped = std::move(reason); }

// A long text is looked for in pieces, so that a part of it is found, too.
void Needles::Column::add(std::string_view text, const std::unordered_set<std::uint64_t>& left) {
    const std::vector<Token> tokens = tokens_of(text);
    for (std::size_t first = 0, windows = 0; first < tokens.size() && windows < most_windows; ++windows) {
        std::size_t end = std::min(first + most_tokens, tokens.size());
        if (end < tokens.size() && tokens.size() - end < most_tokens / 2) end = first + (tokens.size() - first) / 2;
        add_window(text.substr(tokens[first].begin, tokens[end - 1].end - tokens[first].begin), left);
        first = end;
    }
}

void Needles::Column::add_window(std::string_view text, const std::unordered_set<std::uint64_t>& left) {
    switch (is_telling(text)) {
        case Telling::too_short:
            ++column_.too_short;
            return;
        case Telling::common:
            ++column_.common;
            return;
        case Telling::yes:
            break;
    }
    const std::vector<Token> tokens = tokens_of(text);
    WindowHash hash(needles_.key_);
    for (const Token& token : tokens) hash.add(word(text, token));
    if (left.contains(hash.value())) {
        ++column_.kept;
        return;
    }
    Candidate& candidate = candidates_[hash.value()];
    ++candidate.times;
    candidate.makeable = is_makeable(text, tokens);
}

void Needles::Column::finish(std::size_t rows) {
    const std::size_t often = std::max(least_often, rows * often_percent / 100);
    const auto number = static_cast<std::uint32_t>(needles_.columns_.size());
    for (const auto& [hash, candidate] : candidates_) {
        if (candidate.times > often) {
            column_.common += candidate.times;
            continue;
        }
        needles_.needles_.emplace(hash, Needle{number, candidate.makeable});
        ++column_.values;
    }
    if (column_.values == 0 && column_.skipped.empty())
        column_.skipped = rows == 0 ? "the table has no rows" : "no sampled value says whose it is";
    needles_.columns_.push_back(std::move(column_));
}

void Needles::close() {
    filter_.assign(std::bit_ceil(std::max<std::size_t>(needles_.size() / 4, 64)), 0);
    for (const auto& entry : needles_) filter_[entry.first >> 6 & (filter_.size() - 1)] |= 1ULL << (entry.first & 63);
}

}  // namespace pgsluice
