// Numbers to calculate with, exactly: digits * 10^-scale.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pgsluice::rules {

struct Decimal {
    using Digits = __int128;
    static constexpr int most_digits = 27;  // leaves room for a product with a 64-bit number of 10 digits
    static constexpr int most_scale = 20;

    Digits digits = 0;
    int scale = 0;

    // [-] digits [. digits] [e [+-] digits]; decimals beyond most_scale are cut off. Throws Unreadable, also at one
    // with too many digits, NaN and Infinity.
    static Decimal parse(std::string_view text);
    // The largest one of this scale that is not above, the least one that is not below.
    [[nodiscard]] Digits floor_at(int at_scale) const noexcept;
    [[nodiscard]] Digits ceiling_at(int at_scale) const noexcept { return -Decimal{-digits, scale}.floor_at(at_scale); }

    // With all decimals of its scale, as numeric is printed.
    void append_to(std::string& out) const;
    // As PostgreSQL prints a real (`precision` 6) or double precision (15) that was given in so many digits: the rest
    // is cut off.
    void append_float_to(std::string& out, int precision) const;
};

Decimal::Digits power_of_ten(int exponent) noexcept;
// The greatest quotient that is not above.
Decimal::Digits floor_divide(Decimal::Digits dividend, Decimal::Digits divisor) noexcept;

}  // namespace pgsluice::rules
