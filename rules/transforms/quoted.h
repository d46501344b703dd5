// Texts in double quotes as PostgreSQL writes them within arrays and hstore: a backslash comes before " and \.
#pragma once

#include <string>
#include <string_view>

namespace pgsluice::rules {

// Cuts one off `rest`, which begins with its first quote, and decodes it into `text`. Throws Unreadable.
void take_quoted(std::string_view& rest, std::string& text);

}  // namespace pgsluice::rules
