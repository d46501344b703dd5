// Numbers as PostgreSQL prints them, compared digit by digit: numeric beyond a double stays exact.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace pgsluice::rules {

// A view into the text it was parsed from. NaN equals itself and is greater than everything, as in PostgreSQL.
class Number {
   public:
    // [+-] digits [. digits] [e[+-] digits], NaN, [+-]Infinity. Throws Unreadable.
    static Number parse(std::string_view text);

    friend std::weak_ordering operator<=>(const Number& a, const Number& b) noexcept;
    friend bool operator==(const Number& a, const Number& b) noexcept { return (a <=> b) == 0; }

   private:
    enum class Rank : std::int8_t { minus_infinity, negative, zero, positive, infinity, nan };

    Rank rank_ = Rank::zero;
    std::int64_t exponent_ = 0;  // of ten, of the first significant digit
    std::string_view digits_;    // from the first significant digit on; may hold the point
};

}  // namespace pgsluice::rules
