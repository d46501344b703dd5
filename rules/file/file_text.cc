#include "rules/file/file_text.h"

#include <fstream>
#include <ios>
#include <iterator>

namespace pgsluice::rules {

std::optional<std::string> file_text(const std::string& path) {
    try {
        std::ifstream file(path, std::ios::binary);
        std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
        if (!file) return std::nullopt;
        return text;
    } catch (const std::ios_base::failure&) {  // a directory opens, but cannot be read
        return std::nullopt;
    }
}

}  // namespace pgsluice::rules
