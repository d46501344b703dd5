// The check digits of cards and accounts.
#pragma once

#include <string_view>

namespace pgsluice::rules {

// ISO/IEC 7812 (Luhn): the digit that belongs after `digits`.
char luhn_digit(std::string_view digits);

// ISO 7064, mod 97-10: of digits and letters, in which letters count from 10. `before` is that of what stands before.
int mod_97(std::string_view text, int before = 0);

}  // namespace pgsluice::rules
