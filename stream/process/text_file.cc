#include "stream/process/text_file.h"

#include <fstream>
#include <ios>
#include <utility>

namespace pgsluice {

// In pieces, so that a device without an end (/dev/zero) is refused at once. A pipe has no size to ask for.
std::optional<std::string> read_text_file(const std::string& path) {
    try {
        std::ifstream file(path, std::ios::binary);
        if (!file) return std::nullopt;
        std::string text;
        while (text.size() <= max_text_file_bytes) {
            const std::size_t before = text.size();
            text.resize(before + 65536);
            file.read(text.data() + before, 65536);
            text.resize(before + static_cast<std::size_t>(file.gcount()));
            if (file.eof()) return text.size() <= max_text_file_bytes ? std::optional(std::move(text)) : std::nullopt;
            if (!file) return std::nullopt;
        }
        return std::nullopt;
    } catch (const std::ios_base::failure&) {  // a directory can be opened but not read
        return std::nullopt;
    }
}

}  // namespace pgsluice
