// Names and messages of others, as a terminal may show them.
#pragma once

#include <string>
#include <string_view>

namespace pgsluice {

// Control characters as \n, \t or \u00xx, those that UTF-8 writes in two bytes (U+0080 to U+009F), too: the text stays
// one line, and moves no cursor.
std::string printable(std::string_view text);

}  // namespace pgsluice
