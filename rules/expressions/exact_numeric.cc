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
    const BigNumber result(BN_new());
    must(result != nullptr);
    if (op == '*') {
        const Scaled x = parse(a);
        const Scaled y = parse(b);
        const std::unique_ptr<BN_CTX, FreeNumber> context(BN_CTX_new());
        must(context != nullptr && BN_mul(result.get(), x.digits.get(), y.digits.get(), context.get()) != 0);
        return print(result.get(), x.scale + y.scale);
    }
    const Scaled x = parse(a, parse(b).scale);
    const Scaled y = parse(b, x.scale);
    must((op == '+' ? BN_add : BN_sub)(result.get(), x.digits.get(), y.digits.get()) != 0);
    return print(result.get(), x.scale);
}

std::string round_numeric(std::string_view text) {
    std::string tidy = tidy_numeric(text);
    const auto point = tidy.find('.');
    if (point == std::string::npos) return tidy;
    std::string whole = tidy_numeric(tidy.substr(0, point));
    if (tidy[point + 1] < '5') return whole;
    return calculate_numeric(tidy.starts_with('-') ? '-' : '+', whole, "1");
}

}  // namespace pgsluice::rules
