// UTF-8, byte by byte.
#pragma once

#include <string_view>

namespace pgsluice {

// Whether a text is UTF-8 (Unicode, chapter 3, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept;
// Whether the byte continues a character that another has begun.
inline bool is_continuation(char byte) noexcept { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

}  // namespace pgsluice
