// Takes the escapes out of a JSON string (RFC 8259, section 7) where it lies.
#pragma once

#include <cstddef>
#include <optional>

namespace pgsluice {

// `text` is what stands between the quotes. Returns how many bytes are left; nothing when an escape is wrong.
std::optional<std::size_t> unescape_json(char* text, std::size_t size) noexcept;

}  // namespace pgsluice
