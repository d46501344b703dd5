// JSON at the level of bytes: numbers, and whole documents made to fit one line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgsluice {

// Whether the whole text is a number of JSON's grammar (RFC 8259, section 6).
bool is_json_number(std::string_view text) noexcept;

// Appends a JSON document without the white space between its tokens, so that it fits a line; digits, escapes and the
// order of keys stay as they are. Keeps its nesting stack between calls.
class JsonCompactor {
   public:
    // False, and nothing appended, when the text is not one valid document in UTF-8, also when a string in it has an
    // escape that is half of a surrogate pair.
    bool append(std::string& out, std::string_view text);

   private:
    bool tokens(std::string& out, std::string_view text);
    std::string open_;  // the brackets open around the current token
};

}  // namespace pgsluice
