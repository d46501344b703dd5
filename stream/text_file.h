// Files read whole: configuration, rules, secrets.
#pragma once

#include <optional>
#include <string>

namespace pgsluice {

// Nothing when it cannot be read (it does not exist, is a directory, no permission, an I/O error).
std::optional<std::string> read_text_file(const std::string& path);

}  // namespace pgsluice
