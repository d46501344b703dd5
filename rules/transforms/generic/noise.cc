// noise: a number near the value, by `percent` of it or by an `absolute` amount at most, as likely above as below.
//
// What lies between two numbers that the column can hold is rounded to either by chance, with the likelihood that keeps
// the mean: 10 % of a 3 in an integer column is now and then a 2 or a 4.
#include <fmt/format.h>

#include <algorithm>

#include "rules/transforms/generic/number_form.h"
#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

constexpr int percent_scale = 4;
constexpr Decimal::Digits most_amount = 1'000'000'000'000;  // digits of 'absolute': products stay within 128 bits
constexpr Decimal::Digits least_steps = 1'000'000;
constexpr Decimal::Digits most_percent = 100;

// Which part of a value, or how much, comes to it at most.
struct Amount {
    bool percent = false;
    Decimal value;
};

class Noise : public Recipe {
   public:
    explicit Noise(Amount amount) : amount_(amount), steps_(finely(amount)) {}

    std::string unfit(const Column& column, ValueType type) const override { return takes_number(column, type); }

    void make(Draw& draw, std::string_view text, const ColumnForm& form, std::string& out) const override {
        const Decimal value = with_all_digits(Decimal::parse(text), form);
        const auto steps = static_cast<std::int64_t>(steps_.digits);
        const Decimal::Digits step = draw.between(-steps, steps);
        // value.digits + step * factor / divisor, at the value's scale
        const Decimal::Digits factor = amount_.percent ? value.digits : power_of_ten(value.scale);
        const int places = steps_.scale + (amount_.percent ? 2 : 0);
        const Decimal::Digits noise = rounded(draw, step * factor, power_of_ten(places));
        append(out, {value.digits + noise, value.scale}, form);
    }
    std::string describe() const override {
        std::string text = "noise of ";
        amount_.value.append_to(text);
        return text + (amount_.percent ? " percent" : "");
    }

   private:
    // 10 percent are drawn in steps of a ten-thousandth, and amounts in a million steps or more.
    static Decimal finely(const Amount& amount) {
        Decimal steps = amount.value;
        const auto coarse = [&] { return amount.percent ? steps.scale < percent_scale : steps.digits < least_steps; };
        for (; coarse(); ++steps.scale) steps.digits *= 10;
        return steps;
    }

    static Decimal::Digits rounded(Draw& draw, Decimal::Digits dividend, Decimal::Digits divisor) {
        const auto part = static_cast<Decimal::Digits>(draw.below(static_cast<std::uint64_t>(divisor)));
        return floor_divide(dividend + part, divisor);
    }

    // 2.5 in a double precision is 2.50000000000000: there is room for noise.
    static Decimal with_all_digits(Decimal value, const ColumnForm& form) {
        const Decimal::Digits all = power_of_ten(float_digits(form)) / 10;
        for (; value.digits < all && -value.digits < all && value.scale < Decimal::most_scale; ++value.scale)
            value.digits *= 10;
        return value;
    }

    static void append(std::string& out, Decimal number, const ColumnForm& form) {
        const int scale = scale_in(form, number.scale);
        const NumberLimits limits = limits_of(form);
        append_number(out, {std::clamp(number.floor_at(scale), limits.least, limits.most), scale}, form);
    }

    Amount amount_;
    Decimal steps_;
};

Amount read_amount(Fields& parameters) {
    const auto percent = parameters.text("percent");
    const auto absolute = parameters.text("absolute");
    if (percent.has_value() == absolute.has_value())
        throw refuse(parameters.place(), "'percent' is missing, or both 'percent' and 'absolute' are there");
    try {
        Amount amount{percent.has_value(), Decimal::parse(percent ? *percent : *absolute)};
        const Decimal::Digits most = amount.percent ? most_percent * power_of_ten(amount.value.scale) : most_amount;
        if (amount.value.digits <= 0 || amount.value.digits > most || amount.value.scale > 12 ||
            (amount.percent && amount.value.scale > percent_scale))
            throw refuse(parameters.place(), amount.percent
                                                 ? "'percent' must be above 0, at most 100, with 4 decimals at most"
                                                 : "'absolute' must be above 0, with 12 digits at most");
        return amount;
    } catch (const Unreadable& unreadable) {
        throw refuse(parameters.place(), unreadable.reason);
    }
}

}  // namespace

std::unique_ptr<Transform> make_noise(Fields& parameters, const TransformDefaults& defaults) {
    return make_keyed("noise", std::make_unique<Noise>(read_amount(parameters)), parameters, defaults);
}

}  // namespace pgsluice::rules
