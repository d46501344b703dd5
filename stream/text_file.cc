#include "stream/text_file.h"

#include <fstream>
#include <ios>
#include <iterator>

namespace pgsluice {

std::optional<std::string> read_text_file(const std::string& path) {
    try {
        std::ifstream file(path, std::ios::binary);
        std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
        if (!file) return std::nullopt;
        return text;
    } catch (const std::ios_base::failure&) {  // a directory can be opened but not read
        return std::nullopt;
    }
}

}  // namespace pgsluice
