// integer, numeric, float: a number from `min` to `max`, all as likely.
#include <fmt/format.h>

#include <limits>

#include "rules/transforms/generic/number_form.h"
#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

constexpr int most_float_decimals = 4;  // further ones would be cut off

class NumberRange : public Recipe {
   public:
    NumberRange(std::string_view name, Decimal least, Decimal most, int scale)
        : name_(name), least_(least), most_(most), scale_(scale) {}

    std::string unfit(const Column& column, ValueType type) const override {
        if (std::string reason = takes_number(column, type); !reason.empty()) return reason;
        const ColumnForm form = ColumnForm::of(column, type);
        const int unit = std::min(scale_in(form, scale_), scale_);
        if (least_.ceiling_at(unit) > most_.floor_at(unit))
            return fmt::format("no number of column type {} is between 'min' and 'max'", column.type_name);
        if (!holds_range(form, least_, most_, scale_))
            return fmt::format("'min' or 'max' is out of the range of {}", column.type_name);
        return {};
    }
    void make(Draw& draw, std::string_view /*text*/, const ColumnForm& form, std::string& out) const override {
        const int unit = std::min(scale_in(form, scale_), scale_);
        const auto least = static_cast<std::int64_t>(least_.ceiling_at(unit));
        const auto most = static_cast<std::int64_t>(most_.floor_at(unit));
        append_number(out, {draw.between(least, most), unit}, form);
    }
    std::string describe() const override {
        std::string text = fmt::format("{} from ", name_);
        least_.append_to(text);
        text += " to ";
        most_.append_to(text);
        return text + (scale_ > 0 ? fmt::format(" with {} decimals", scale_) : std::string{});
    }

   private:
    std::string_view name_;
    Decimal least_;
    Decimal most_;
    int scale_;
};

Decimal read_number(Fields& parameters, std::string_view key) {
    try {
        return Decimal::parse(parameters.required_text(key));
    } catch (const Unreadable& unreadable) {
        throw refuse(parameters.place(), fmt::format("of '{}': {}", key, unreadable.reason));
    }
}

bool is_64_bit(Decimal::Digits digits) {
    return digits >= std::numeric_limits<std::int64_t>::min() && digits <= std::numeric_limits<std::int64_t>::max();
}

std::unique_ptr<Transform> make_range(std::string_view name, int default_scale, int most_scale, Fields& parameters,
                                      const TransformDefaults& defaults) {
    const Decimal least = read_number(parameters, "min");
    const Decimal most = read_number(parameters, "max");
    const int scale = most_scale == 0 ? 0 : parameters.number("scale", 0).value_or(default_scale);
    if (scale > most_scale) throw refuse(parameters.place(), fmt::format("'scale' is above {}", most_scale));
    if (least.ceiling_at(scale) > most.floor_at(scale))
        throw refuse(parameters.place(), "no number is between 'min' and 'max'");
    if (!is_64_bit(least.ceiling_at(scale)) || !is_64_bit(most.floor_at(scale)))
        throw refuse(parameters.place(), "'min' and 'max' with all decimals must have at most 18 digits");
    return make_keyed(name, std::make_unique<NumberRange>(name, least, most, scale), parameters, defaults);
}

}  // namespace

std::unique_ptr<Transform> make_integer(Fields& parameters, const TransformDefaults& defaults) {
    return make_range("integer", 0, 0, parameters, defaults);
}
std::unique_ptr<Transform> make_numeric(Fields& parameters, const TransformDefaults& defaults) {
    return make_range("numeric", 2, 18, parameters, defaults);
}
std::unique_ptr<Transform> make_float(Fields& parameters, const TransformDefaults& defaults) {
    return make_range("float", 2, most_float_decimals, parameters, defaults);
}

}  // namespace pgsluice::rules
