// numeric's + - * and rounding, on PostgreSQL's text of it and of any size.
#pragma once

#include <string>
#include <string_view>

namespace pgsluice::rules {

// [+-] digits [. digits] as PostgreSQL prints it: without needless zeros before the point, and 0 without a sign. Throws
// Unreadable at anything else.
std::string tidy_numeric(std::string_view text);
// The result's scale is the greater one, of a product the sum. Throws Unreadable at NaN and infinities.
std::string calculate_numeric(char op, std::string_view a, std::string_view b);
// To a whole number, half away from zero.
std::string round_numeric(std::string_view text);

}  // namespace pgsluice::rules
