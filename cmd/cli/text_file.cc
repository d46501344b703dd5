#include "cmd/cli/text_file.h"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace pgsluice {

std::optional<std::string> read_text_file(const std::string& path) {
    std::error_code unknown;
    if (std::filesystem::is_directory(path, unknown)) return std::nullopt;  // opens, but throws when read
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    return std::string{std::istreambuf_iterator<char>(file), {}};
}

}  // namespace pgsluice
