#pragma once

#include <string_view>

namespace pgsluice {

// Without the blanks at its end, which pad a char(n) and do not count there.
constexpr std::string_view without_padding(std::string_view text) noexcept {
    return text.substr(0, text.find_last_not_of(' ') + 1);
}

}  // namespace pgsluice
