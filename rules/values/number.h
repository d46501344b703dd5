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

    friend std::weak_ordering operator<=>(const Number& a, const Number& b);
    friend bool operator==(const Number& a, const Number& b) { return (a <=> b) == 0; }

   private:
    static Number parse_digits(std::string_view text);
    friend std::weak_ordering compare_by_digits(const Number& a, const Number& b);

    enum class Rank : std::int8_t { minus_infinity, negative, zero, positive, infinity, nan };

    bool parse_small(std::string_view text) noexcept;

    // An integer of at most 18 digits, which most numbers are, is kept as one; its digits are looked at only when it
    // meets a number that is not.
    bool is_small_ = false;
    std::int64_t small_ = 0;
    std::string_view text_;  // of a small one
    Rank rank_ = Rank::zero;
    std::int64_t exponent_ = 0;  // of ten, of the first significant digit
    std::string_view digits_;    // from the first significant digit on; may hold the point
};

}  // namespace pgsluice::rules
