// What a single value looks like: patterns and checksums. All take any bytes, and none keeps any.
#pragma once

#include <string_view>

#include "rules/personal/kind.h"

namespace pgsluice::rules {

bool is_email(std::string_view text);
// Whether there is one somewhere in it.
bool holds_email(std::string_view text);
// Only what nothing else is written like: with + or 00 and a country's code, brackets, or a 0 and groups of digits.
bool is_phone(std::string_view text);
bool is_ip(std::string_view text);
bool is_mac(std::string_view text);
// With hyphens, and of an area that is given out.
bool is_ssn(std::string_view text);
// 13 to 19 digits of a known scheme, with a valid check digit (Luhn).
bool is_card(std::string_view text);
// With valid check digits (mod 97).
bool is_iban(std::string_view text);
// A number and a word for a street, or a street of the lists.
bool is_street(std::string_view text);
// A first and a last name of the lists (rules/transforms/fake/lists), in either order.
bool is_full_name(std::string_view text);
bool is_first_name(std::string_view text);
bool is_last_name(std::string_view text);

// Digits of a text that holds nothing else but blanks and hyphens; empty where it does. `room` has space for 32.
std::string_view only_digits(std::string_view text, char* room);

}  // namespace pgsluice::rules
