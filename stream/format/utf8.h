// Whether a text is UTF-8 (Unicode, chapter 3, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <string_view>

namespace pgsluice {

bool is_utf8(std::string_view text) noexcept;

}  // namespace pgsluice
