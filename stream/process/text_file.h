// Files read whole: configuration, rules, secrets.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace pgsluice {

// A file that is larger is not what it was taken for.
inline constexpr std::size_t max_text_file_bytes = 16 * 1024 * 1024;

// Nothing when it cannot be read (it does not exist, is a directory, no permission, an I/O error) or is too large.
std::optional<std::string> read_text_file(const std::string& path);

}  // namespace pgsluice
