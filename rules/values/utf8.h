// UTF-8 by character. All functions expect well-formed text: is_utf8() of stream/format/utf8.h.
#pragma once

#include <cstddef>
#include <string_view>

#include "stream/format/utf8.h"

namespace pgsluice::rules {

std::size_t count_characters(std::string_view text) noexcept;
// Bytes of the first / last character; 0 for an empty text.
std::size_t first_character(std::string_view text) noexcept;
std::size_t last_character(std::string_view text) noexcept;
// Bytes of the first `count` characters, or of all when there are fewer.
std::size_t prefix_bytes(std::string_view text, std::size_t count) noexcept;

}  // namespace pgsluice::rules
