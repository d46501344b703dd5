// The lists that fakes of one language and country are taken from: lists/en/*.txt and so on. A value's fake depends on
// its place in its list, so another list is a change that users see.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/file/fields.h"
#include "rules/transforms/keyed/draw.h"
#include "rules/transforms/transform.h"

namespace pgsluice::rules {

class WordList {
   public:
    // A line for each.
    explicit WordList(std::string_view text);
    [[nodiscard]] std::string_view one(Draw& draw) const { return words_[draw.below(words_.size())]; }
    [[nodiscard]] const std::vector<std::string_view>& all() const { return words_; }

   private:
    std::vector<std::string_view> words_;
};

struct Locale {
    explicit Locale(std::string_view name);

    std::string name;
    WordList first_names_female, first_names_male, last_names;
    WordList streets, cities, countries;
    WordList companies, company_endings;
    WordList words;
    WordList titles, genders;      // genders: female, male
    WordList states, state_codes;  // the same ones in the same order
    WordList industries, job_titles, products;
    WordList months, weekdays;  // from January, from Monday
    bool number_first;          // "12 High Street", and not "Hauptstraße 12"
};

// By the parameter or the file's `locale`, or "en". usage Error for one that is not there.
const Locale& read_locale(Fields& parameters, const TransformDefaults& defaults);

// Lower-case letters of the alphabet and digits only, for names of users and hosts: "Müller" is "mueller".
void append_plain(std::string& out, std::string_view text);

}  // namespace pgsluice::rules
