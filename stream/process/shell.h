// Words for a shell that is to read them as they are.
#pragma once

#include <string>
#include <string_view>

namespace pgsluice {

inline std::string shell_quoted(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + '\'';
}

}  // namespace pgsluice
