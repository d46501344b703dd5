#include "rules/values/decimal.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "rules/place.h"

namespace pgsluice::rules {
namespace {

[[noreturn]] void refuse_number() { throw Unreadable{"it is not a number of at most 27 digits"}; }

int small_exponent(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    int exponent = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (error != std::errc{} || end != text.data() + text.size()) refuse_number();
    if (exponent > Decimal::most_digits) refuse_number();
    return exponent;
}

// Without a sign; returns how many digits came after the decimal point. What is too fine is cut off.
int parse_mantissa(std::string_view text, Decimal::Digits& digits) {
    int decimals = 0;
    bool point = false;
    bool any = false;
    for (const char c : text) {
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') refuse_number();
        any = true;
        if (point && decimals >= Decimal::most_scale) continue;
        digits = digits * 10 + (c - '0');
        decimals += point ? 1 : 0;
        if (digits >= power_of_ten(Decimal::most_digits)) refuse_number();
    }
    if (!any) refuse_number();
    return decimals;
}

std::string digits_of(Decimal::Digits digits) {
    std::string text;
    for (; digits > 0; digits /= 10) text += static_cast<char>('0' + static_cast<int>(digits % 10));
    std::reverse(text.begin(), text.end());
    return text;
}

void append_fixed(std::string& out, std::string text, int scale) {
    const auto decimals = static_cast<std::size_t>(scale);
    if (text.size() <= decimals) text.insert(0, decimals + 1 - text.size(), '0');
    out.append(text, 0, text.size() - decimals);
    if (decimals == 0) return;
    out += '.';
    out.append(text, text.size() - decimals);
}

}  // namespace

Decimal::Digits power_of_ten(int exponent) noexcept {
    Decimal::Digits power = 1;
    for (; exponent > 0; --exponent) power *= 10;
    return power;
}

Decimal::Digits floor_divide(Decimal::Digits dividend, Decimal::Digits divisor) noexcept {
    return dividend / divisor - (dividend % divisor < 0 ? 1 : 0);
}

Decimal Decimal::parse(std::string_view text) {
    Decimal decimal;
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    const std::size_t e = text.find_first_of("eE");
    decimal.scale = parse_mantissa(text.substr(0, e), decimal.digits);
    if (e != std::string_view::npos) decimal.scale -= small_exponent(text.substr(e + 1));
    for (; decimal.scale < 0; ++decimal.scale) {
        decimal.digits *= 10;
        if (decimal.digits >= power_of_ten(most_digits)) refuse_number();
    }
    for (; decimal.scale > most_scale && decimal.digits > 0; --decimal.scale) decimal.digits /= 10;
    decimal.scale = std::min(decimal.scale, most_scale);
    if (negative) decimal.digits = -decimal.digits;
    return decimal;
}

Decimal::Digits Decimal::floor_at(int at_scale) const noexcept {
    if (at_scale >= scale) return digits * power_of_ten(at_scale - scale);
    return floor_divide(digits, power_of_ten(scale - at_scale));
}

void Decimal::append_to(std::string& out) const {
    if (digits < 0) out += '-';
    append_fixed(out, digits_of(digits < 0 ? -digits : digits), scale);
}

void Decimal::append_float_to(std::string& out, int precision) const {
    std::string text = digits_of(digits < 0 ? -digits : digits);
    int exponent = static_cast<int>(text.size()) - 1 - scale;  // of the first digit
    text.resize(std::min(text.size(), static_cast<std::size_t>(precision)));
    while (text.ends_with('0')) text.pop_back();
    if (text.empty()) {
        out += '0';
        return;
    }
    if (digits < 0) out += '-';
    const int places = static_cast<int>(text.size()) - 1 - exponent;
    if (exponent >= -4 && exponent < precision) {
        if (places < 0) text.append(static_cast<std::size_t>(-places), '0');
        return append_fixed(out, text, std::max(places, 0));
    }
    append_fixed(out, text, static_cast<int>(text.size()) - 1);
    fmt::format_to(std::back_inserter(out), "e{}{:02}", exponent < 0 ? '-' : '+', exponent < 0 ? -exponent : exponent);
}

}  // namespace pgsluice::rules
