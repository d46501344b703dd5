// A whole file as text.
#pragma once

#include <optional>
#include <string>

namespace pgsluice::rules {

// Nothing when it cannot be read, or is a directory.
std::optional<std::string> file_text(const std::string& path);

}  // namespace pgsluice::rules
