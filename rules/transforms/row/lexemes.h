// The tsvector of a text: its words in small letters, each with the places at which it comes.
#pragma once

#include <string>
#include <string_view>

namespace pgsluice::rules {

// As PostgreSQL prints it. Words are what lies between signs and blanks; nothing is stemmed or left out, for what a
// text search configuration does is known to the server only. Throws Unreadable where PostgreSQL would not take it.
std::string lexemes_of(std::string_view text);

}  // namespace pgsluice::rules
