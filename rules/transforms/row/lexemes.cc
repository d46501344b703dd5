#include "rules/transforms/row/lexemes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "rules/place.h"
#include "rules/transforms/row/functions.h"

namespace pgsluice::rules {
namespace {

// Of PostgreSQL's src/include/tsearch/ts_type.h.
constexpr std::size_t most_bytes = 2046;
constexpr std::size_t last_place = 16383;
constexpr std::size_t most_places = 255;

// PostgreSQL orders words by their bytes, as this does.
using Places = std::map<std::string, std::vector<std::size_t>>;

Places places_of(std::string_view text) {
    Places places;
    std::size_t place = 0;
    for (auto word = take_word(text); !word.empty(); word = take_word(text)) {
        std::vector<std::size_t>& of_word = places[lower_letters(word)];
        place = std::min(place + 1, last_place);
        if (of_word.size() < most_places && (of_word.empty() || of_word.back() != place)) of_word.push_back(place);
    }
    return places;
}

}  // namespace

std::string lexemes_of(std::string_view text) {
    std::string out;
    for (const auto& [word, places] : places_of(text)) {
        if (word.size() > most_bytes) throw Unreadable{"a word of a tsvector is longer than 2046 bytes"};
        out += fmt::format("{}'{}'", out.empty() ? "" : " ", word);
        for (const std::size_t& place : places) out += fmt::format("{}{}", &place == places.data() ? ':' : ',', place);
    }
    return out;
}

}  // namespace pgsluice::rules
