#include "rules/values/number.h"

#include <algorithm>

#include "rules/place.h"
#include "stream/base/ascii.h"

namespace pgsluice::rules {
namespace {

constexpr std::int64_t max_exponent = 1'000'000;  // numeric's own are below 200,000

[[noreturn]] void fail() { throw Unreadable{"it is not a number"}; }

bool same_word(std::string_view text, std::string_view lower) {
    return text.size() == lower.size() && std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
               return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
           });
}

std::int64_t parse_exponent(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (text.empty()) fail();
    std::int64_t value = 0;
    for (const char c : text) {
        if (!is_ascii_digit(c)) fail();
        value = std::min(value * 10 + (c - '0'), max_exponent);
    }
    return negative ? -value : value;
}

// Walks over the digits, skipping the point; 0 after the end.
class Digits {
   public:
    explicit Digits(std::string_view text) : text_(text) {}
    char next() {
        if (at_ < text_.size() && text_[at_] == '.') ++at_;
        return at_ < text_.size() ? text_[at_++] : '0';
    }
    [[nodiscard]] bool done() const { return at_ >= text_.size(); }

   private:
    std::string_view text_;
    std::size_t at_ = 0;
};

std::weak_ordering compare_digits(std::string_view a, std::string_view b) {
    Digits left(a);
    Digits right(b);
    while (!left.done() || !right.done()) {
        const auto order = left.next() <=> right.next();
        if (order != 0) return order;
    }
    return std::weak_ordering::equivalent;
}

}  // namespace

Number Number::parse(std::string_view text) {
    Number number;
    return number.parse_small(text) ? number : parse_digits(text);
}

bool Number::parse_small(std::string_view text) noexcept {
    constexpr std::size_t max_digits = 18;
    const bool negative = text.starts_with('-');
    const std::string_view digits = text.substr(negative ? 1 : 0);
    if (digits.empty() || digits.size() > max_digits) return false;
    std::int64_t value = 0;
    for (const char c : digits) {
        if (!is_ascii_digit(c)) return false;
        value = value * 10 + (c - '0');
    }
    is_small_ = true;
    small_ = negative ? -value : value;
    text_ = text;
    return true;
}

Number Number::parse_digits(std::string_view text) {
    Number number;
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (text.empty()) fail();
    if (!is_ascii_digit(text[0]) && text[0] != '.') {
        const bool infinite = same_word(text, "infinity") || same_word(text, "inf");
        if (!infinite && !same_word(text, "nan")) fail();
        number.rank_ = !infinite ? Rank::nan : negative ? Rank::minus_infinity : Rank::infinity;
        return number;
    }
    const std::size_t e = text.find_first_of("eE");
    const std::string_view mantissa = text.substr(0, e);
    const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
    if (mantissa == ".") fail();
    for (std::size_t i = 0; i < mantissa.size(); ++i)
        if (!is_ascii_digit(mantissa[i]) && i != point) fail();
    if (e != std::string_view::npos) number.exponent_ = parse_exponent(text.substr(e + 1));
    const std::size_t first = mantissa.find_first_not_of("0.");
    if (first == std::string_view::npos) {
        number.exponent_ = 0;
        return number;
    }
    number.rank_ = negative ? Rank::negative : Rank::positive;
    number.digits_ = mantissa.substr(first);
    const auto before_point = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
    number.exponent_ += before_point > 0 ? before_point - 1 : before_point;
    return number;
}

std::weak_ordering operator<=>(const Number& a, const Number& b) {
    if (a.is_small_ && b.is_small_) return a.small_ <=> b.small_;
    return compare_by_digits(a.is_small_ ? Number::parse_digits(a.text_) : a,
                             b.is_small_ ? Number::parse_digits(b.text_) : b);
}

std::weak_ordering compare_by_digits(const Number& a, const Number& b) {
    if (a.rank_ != b.rank_) return a.rank_ <=> b.rank_;
    if (a.rank_ != Number::Rank::positive && a.rank_ != Number::Rank::negative) return std::weak_ordering::equivalent;
    std::weak_ordering order = a.exponent_ <=> b.exponent_;
    if (order == 0) order = compare_digits(a.digits_, b.digits_);
    return a.rank_ == Number::Rank::positive ? order : 0 <=> order;
}

}  // namespace pgsluice::rules
