#include "rules/values/check_digits.h"

#include "stream/base/ascii.h"

namespace pgsluice::rules {

// Every second digit from the right counts double.
char luhn_digit(std::string_view digits) {
    int sum = 0;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const int digit = digits[digits.size() - 1 - i] - '0';
        const int counted = i % 2 == 0 ? 2 * digit : digit;
        sum += counted > 9 ? counted - 9 : counted;
    }
    return static_cast<char>('0' + (10 - sum % 10) % 10);
}

int mod_97(std::string_view text, int before) {
    int remainder = before;
    for (const char c : text) {
        const bool digit = c >= '0' && c <= '9';
        remainder = digit ? (remainder * 10 + (c - '0')) % 97 : (remainder * 100 + (ascii_lower(c) - 'a' + 10)) % 97;
    }
    return remainder;
}

}  // namespace pgsluice::rules
