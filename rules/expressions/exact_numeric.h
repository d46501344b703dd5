// numeric's + - * and rounding, on PostgreSQL's text of it and of any size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pgsluice::rules {

// [+-] digits [. digits] as PostgreSQL prints it: without needless zeros before the point, and 0 without a sign. Throws
// Unreadable at anything else.
std::string tidy_numeric(std::string_view text);
// + - * / %. The result's scale is the greater one, of a product the sum, of a quotient PostgreSQL's choice. Throws
// Unreadable at NaN and infinities, and at a division by zero.
std::string calculate_numeric(char op, std::string_view a, std::string_view b);
// To a whole number, half away from zero.
std::string round_numeric(std::string_view text);
// To so many digits after the point (less than 0: zeros before it), half away from zero or towards it.
std::string to_scale(std::string_view text, std::int64_t scale, bool truncates);
// floor (f) and ceil (c).
std::string whole_numeric(std::string_view text, char way);
// As the type numeric(precision, scale) has it: throws Unreadable where it does not fit.
std::string as_numeric(std::string_view text, std::int64_t precision, std::int64_t scale);

}  // namespace pgsluice::rules
