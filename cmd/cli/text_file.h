// Small files read whole.
#pragma once

#include <optional>
#include <string>

namespace pgsluice {

// Nothing when it cannot be read (not there, a directory, no permission).
std::optional<std::string> read_text_file(const std::string& path);

}  // namespace pgsluice
