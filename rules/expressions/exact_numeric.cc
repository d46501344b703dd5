#include "rules/expressions/exact_numeric.h"

#include <openssl/bn.h>

#include <algorithm>
#include <memory>
#include <new>

#include "rules/place.h"

namespace pgsluice::rules {
namespace {

struct FreeNumber {
    void operator()(BIGNUM* number) const { BN_free(number); }
    void operator()(BN_CTX* context) const { BN_CTX_free(context); }
    void operator()(char* text) const { OPENSSL_free(text); }
};
using BigNumber = std::unique_ptr<BIGNUM, FreeNumber>;

// PostgreSQL's limits are wider; so long a number stops the worker rather than be wrong.
constexpr std::size_t most_digits = 10'000;

void must(bool done) {
    if (!done) throw std::bad_alloc();
}

struct Scaled {
    BigNumber digits;
    std::size_t scale = 0;
};

Scaled parse(std::string_view text, std::size_t at_least = 0) {
    std::string digits = tidy_numeric(text);
    const auto point = digits.find('.');
    std::size_t scale = 0;
    if (point != std::string::npos) {
        scale = digits.size() - point - 1;
        digits.erase(point, 1);
    }
    if (scale < at_least) digits.append(at_least - scale, '0');
    BIGNUM* number = nullptr;
    must(BN_dec2bn(&number, digits.c_str()) != 0);
    return {BigNumber(number), std::max(scale, at_least)};
}

std::string print(const BIGNUM* number, std::size_t scale) {
    const std::unique_ptr<char, FreeNumber> decimal(BN_bn2dec(number));
    must(decimal != nullptr);
    std::string text = decimal.get();
    const std::size_t sign = text.starts_with('-') ? 1 : 0;
    if (text.size() - sign <= scale) text.insert(sign, scale + 1 - (text.size() - sign), '0');
    if (scale > 0) text.insert(text.size() - scale, 1, '.');
    return tidy_numeric(text);
}

std::unique_ptr<BN_CTX, FreeNumber> context() {
    std::unique_ptr<BN_CTX, FreeNumber> made(BN_CTX_new());
    must(made != nullptr);
    return made;
}

BigNumber number() {
    BigNumber made(BN_new());
    must(made != nullptr);
    return made;
}

// A number as PostgreSQL holds it, in digits of 10,000: the first of them that is not 0, and its power.
struct Leading {
    std::int64_t weight = 0;
    std::int64_t digit = 0;
};

Leading leading(std::string_view text) {
    constexpr std::size_t group = 4;
    std::string tidy = tidy_numeric(text);
    if (tidy.starts_with('-')) tidy.erase(0, 1);
    const auto point = std::min(tidy.find('.'), tidy.size());
    std::string digits = tidy.substr(0, point);
    digits.insert(0, (group - digits.size() % group) % group, '0');
    const auto whole_groups = static_cast<std::int64_t>(digits.size() / group);
    if (point < tidy.size()) digits += tidy.substr(point + 1);
    digits.append((group - digits.size() % group) % group, '0');
    for (std::size_t at = 0; at < digits.size(); at += group)
        if (const int digit = std::stoi(digits.substr(at, group)); digit != 0)
            return {whole_groups - 1 - static_cast<std::int64_t>(at / group), digit};
    return {};
}

// select_div_scale() of numeric.c.
std::size_t scale_of_quotient(std::string_view a, std::size_t a_scale, std::string_view b, std::size_t b_scale) {
    constexpr std::int64_t significant_digits = 16;
    constexpr std::int64_t greatest_scale = 1000;
    const Leading x = leading(a);
    const Leading y = leading(b);
    const std::int64_t weight = x.weight - y.weight - (x.digit <= y.digit ? 1 : 0);
    const std::int64_t scale = std::max({significant_digits - weight * 4, static_cast<std::int64_t>(a_scale),
                                         static_cast<std::int64_t>(b_scale), std::int64_t{0}});
    return static_cast<std::size_t>(std::min(scale, greatest_scale));
}

std::string divide(std::string_view a, std::string_view b) {
    const std::size_t a_scale = parse(a).scale;
    const Scaled y = parse(b);
    if (BN_is_zero(y.digits.get())) throw Unreadable{"division by zero"};
    const std::size_t scale = scale_of_quotient(a, a_scale, b, y.scale);
    const Scaled x = parse(a, scale + y.scale);  // at least a's own scale, for the result has it at least
    const BigNumber quotient = number();
    const BigNumber rest = number();
    must(BN_div(quotient.get(), rest.get(), x.digits.get(), y.digits.get(), context().get()) != 0);
    must(BN_lshift1(rest.get(), rest.get()) != 0);
    const bool negative = BN_is_negative(x.digits.get()) != BN_is_negative(y.digits.get());
    if (BN_ucmp(rest.get(), y.digits.get()) >= 0) must((negative ? BN_sub_word : BN_add_word)(quotient.get(), 1) != 0);
    return print(quotient.get(), scale);
}

std::string remainder(std::string_view a, std::string_view b) {
    const Scaled x = parse(a, parse(b).scale);
    const Scaled y = parse(b, x.scale);
    if (BN_is_zero(y.digits.get())) throw Unreadable{"division by zero"};
    const BigNumber rest = number();
    must(BN_div(nullptr, rest.get(), x.digits.get(), y.digits.get(), context().get()) != 0);
    return print(rest.get(), x.scale);
}

}  // namespace

std::string tidy_numeric(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    const auto point = std::min(text.find('.'), text.size());
    const std::string_view whole = text.substr(0, point);
    const std::string_view decimals = point < text.size() ? text.substr(point + 1) : std::string_view{};
    const auto digits_only = [](std::string_view part) {
        return part.find_first_not_of("0123456789") == std::string_view::npos;
    };
    if (whole.size() + decimals.size() == 0 || !digits_only(whole) || !digits_only(decimals))
        throw Unreadable{"it is not a number of digits and a point"};
    if (whole.size() + decimals.size() > most_digits) throw Unreadable{"the number has more than 10,000 digits"};
    const std::string_view digits = whole.substr(std::min(whole.find_first_not_of('0'), whole.size()));
    std::string tidy(digits.empty() ? std::string_view("0") : digits);
    if (!decimals.empty()) tidy.append(".").append(decimals);
    const bool zero = tidy.find_first_not_of("0.") == std::string::npos;
    return negative && !zero ? "-" + tidy : tidy;
}

std::string calculate_numeric(char op, std::string_view a, std::string_view b) {
    if (op == '/') return divide(a, b);
    if (op == '%') return remainder(a, b);
    const BigNumber result = number();
    if (op == '*') {
        const Scaled x = parse(a);
        const Scaled y = parse(b);
        must(BN_mul(result.get(), x.digits.get(), y.digits.get(), context().get()) != 0);
        return print(result.get(), x.scale + y.scale);
    }
    const Scaled x = parse(a, parse(b).scale);
    const Scaled y = parse(b, x.scale);
    must((op == '+' ? BN_add : BN_sub)(result.get(), x.digits.get(), y.digits.get()) != 0);
    return print(result.get(), x.scale);
}

std::string round_numeric(std::string_view text) { return to_scale(text, 0, false); }

std::string to_scale(std::string_view text, std::int64_t scale, bool truncates) {
    constexpr std::int64_t most = 1000;
    if (scale > most || scale < -most) throw Unreadable{"it is to be rounded to more than 1000 digits"};
    std::string tidy = tidy_numeric(text);
    const bool negative = tidy.starts_with('-');
    if (negative) tidy.erase(0, 1);
    const auto point = std::min(tidy.find('.'), tidy.size());
    const auto kept = static_cast<std::int64_t>(point) + scale;
    std::string digits = tidy;
    if (point < tidy.size()) digits.erase(point, 1);
    const auto end = static_cast<std::int64_t>(digits.size());
    const bool up = !truncates && kept >= 0 && kept < end && digits[static_cast<std::size_t>(kept)] >= '5';
    digits.resize(static_cast<std::size_t>(std::max<std::int64_t>(kept, 0)), '0');
    digits = digits.empty() ? "0" : digits;
    if (up) digits = calculate_numeric('+', digits, "1");
    if (scale < 0) digits.append(static_cast<std::size_t>(-scale), '0');
    const auto decimals = static_cast<std::size_t>(std::max<std::int64_t>(scale, 0));
    if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
    if (decimals > 0) digits.insert(digits.size() - decimals, 1, '.');
    return tidy_numeric(negative ? "-" + digits : digits);
}

std::string whole_numeric(std::string_view text, char way) {
    const std::string tidy = tidy_numeric(text);
    const std::string whole = to_scale(tidy, 0, true);
    const auto point = tidy.find('.');
    const bool exact = point == std::string::npos || tidy.find_first_not_of('0', point + 1) == std::string::npos;
    const bool negative = tidy.starts_with('-');
    if (exact || negative != (way == 'f')) return whole;
    return calculate_numeric(negative ? '-' : '+', whole, "1");
}

std::string as_numeric(std::string_view text, std::int64_t precision, std::int64_t scale) {
    if (text == "NaN") return std::string(text);
    std::string rounded = to_scale(text, scale, false);
    std::string_view whole = rounded;
    if (whole.starts_with('-')) whole.remove_prefix(1);
    whole = whole.substr(0, whole.find('.'));
    const std::int64_t digits = whole == "0" ? 0 : static_cast<std::int64_t>(whole.size());
    if (digits > precision - scale) throw Unreadable{"the number does not fit the type's precision"};
    return rounded;
}

}  // namespace pgsluice::rules
