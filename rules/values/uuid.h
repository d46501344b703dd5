// A uuid's 32 hex digits, in lower case, without separators.
#pragma once

#include <array>
#include <compare>
#include <string_view>

namespace pgsluice::rules {

struct Uuid {
    std::array<char, 32> digits{};

    // Hyphens and braces anywhere. Throws Unreadable.
    static Uuid parse(std::string_view text);
    friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

}  // namespace pgsluice::rules
