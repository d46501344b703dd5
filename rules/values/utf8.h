// UTF-8 by character (Unicode, chapter 3, table 3-7: well-formed sequences).
#pragma once

#include <cstddef>
#include <string_view>

namespace pgsluice::rules {

// Well-formed: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept;

inline bool is_continuation(char byte) noexcept { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

// The following expect well-formed text.
std::size_t count_characters(std::string_view text) noexcept;
// Bytes of the first / last character; 0 for an empty text.
std::size_t first_character(std::string_view text) noexcept;
std::size_t last_character(std::string_view text) noexcept;
// Bytes of the first `count` characters, or of all when there are fewer.
std::size_t prefix_bytes(std::string_view text, std::size_t count) noexcept;

}  // namespace pgsluice::rules
