#include "rules/transforms/fake/locale.h"

#include <fmt/format.h>

#include <set>
#include <stdexcept>

#include "rules/transforms/fake/list_files.h"
#include "rules/values/utf8.h"

namespace pgsluice::rules {
namespace {

std::string_view file_of(std::string_view locale, std::string_view list) {
    const std::string name = fmt::format("{}/{}.txt", locale, list);
    for (const ListFile& file : list_files())
        if (file.name == name) return file.text;
    throw std::logic_error(fmt::format("there is no list {}", name));
}

const std::vector<Locale>& locales() {
    static const std::vector<Locale> all = [] {
        std::set<std::string_view> names;
        for (const ListFile& file : list_files()) names.insert(file.name.substr(0, file.name.find('/')));
        std::vector<Locale> made;
        for (const std::string_view name : names) made.emplace_back(name);
        return made;
    }();
    return all;
}

const Locale& find_locale(const std::string& name, const Place& place) {
    std::string known;
    for (const Locale& locale : locales()) {
        if (locale.name == name) return locale;
        known += fmt::format("{}{}", known.empty() ? "" : ", ", locale.name);
    }
    throw refuse(place, fmt::format("unknown locale '{}'", name), fmt::format("Known locales: {}.", known));
}

struct Plain {
    std::string_view letter;
    std::string_view plain;
};
constexpr Plain plain_letters[] = {
    {"ä", "ae"}, {"ö", "oe"}, {"ü", "ue"}, {"ß", "ss"}, {"Ä", "ae"}, {"Ö", "oe"}, {"Ü", "ue"}, {"à", "a"},
    {"á", "a"},  {"â", "a"},  {"ç", "c"},  {"è", "e"},  {"é", "e"},  {"ê", "e"},  {"ë", "e"},  {"í", "i"},
    {"î", "i"},  {"ï", "i"},  {"ñ", "n"},  {"ó", "o"},  {"ô", "o"},  {"ú", "u"},  {"ù", "u"},  {"û", "u"},
    {"É", "e"},  {"Á", "a"},  {"Í", "i"},  {"Ó", "o"},  {"Ú", "u"},  {"Ñ", "n"},  {"œ", "oe"},
};

}  // namespace

WordList::WordList(std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (end > 0) words_.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (words_.empty()) throw std::logic_error("a list of words is empty");
}

Locale::Locale(std::string_view of)
    : name(of),
      first_names_female(file_of(of, "first_names_female")),
      first_names_male(file_of(of, "first_names_male")),
      last_names(file_of(of, "last_names")),
      streets(file_of(of, "streets")),
      cities(file_of(of, "cities")),
      countries(file_of(of, "countries")),
      companies(file_of(of, "companies")),
      company_endings(file_of(of, "company_endings")),
      words(file_of(of, "words")),
      titles(file_of(of, "titles")),
      genders(file_of(of, "genders")),
      states(file_of(of, "states")),
      state_codes(file_of(of, "state_codes")),
      industries(file_of(of, "industries")),
      job_titles(file_of(of, "job_titles")),
      products(file_of(of, "products")),
      months(file_of(of, "months")),
      weekdays(file_of(of, "weekdays")),
      number_first(of == "en" || of == "fr") {}

const Locale& read_locale(Fields& parameters, const TransformDefaults& defaults) {
    const std::string otherwise = defaults.locale.empty() ? "en" : defaults.locale;
    return find_locale(parameters.text("locale").value_or(otherwise), parameters.place());
}

void check_locale(const std::string& name, const Place& place) { find_locale(name, place); }

void append_plain(std::string& out, std::string_view text) {
    while (!text.empty()) {
        const std::string_view letter = text.substr(0, first_character(text));
        text.remove_prefix(letter.size());
        const char c = letter[0];
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
        if (c >= 'A' && c <= 'Z') out += static_cast<char>(c - 'A' + 'a');
        for (const Plain& plain : plain_letters)
            if (plain.letter == letter) out += plain.plain;
    }
}

}  // namespace pgsluice::rules
