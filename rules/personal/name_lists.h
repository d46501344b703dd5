// The words of the lists that fakes are made of, in all languages, for looking one up: ASCII letters in lower case.
#pragma once

#include <string>
#include <string_view>

namespace pgsluice::rules {

std::string lower_ascii(std::string_view text);

// `word` is in lower case.
bool in_first_names(std::string_view word);
bool in_last_names(std::string_view word);
bool in_streets(std::string_view street);
// Any word of any list: what a fake may be made of.
bool in_any_list(std::string_view word);
// A whole entry of any list: "new york".
bool is_list_line(std::string_view text);

}  // namespace pgsluice::rules
