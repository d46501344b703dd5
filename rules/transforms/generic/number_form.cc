#include "rules/transforms/generic/number_form.h"

#include <limits>

#include "rules/transforms/transform.h"

namespace pgsluice::rules {
namespace {

template <typename Integer>
constexpr NumberLimits limits{std::numeric_limits<Integer>::min(), std::numeric_limits<Integer>::max()};

constexpr Oid float4_oid = 700;
constexpr Oid float8_oid = 701;
constexpr Oid numeric_oid = 1700;

}  // namespace

int float_digits(const ColumnForm& form) noexcept {
    return form.oid == float4_oid ? 6 : form.oid == float8_oid ? 15 : 0;
}

int scale_in(const ColumnForm& form, int scale) noexcept {
    if (float_digits(form) > 0) return scale;
    if (form.oid != numeric_oid) return 0;
    return form.precision > 0 ? form.scale : scale;
}

NumberLimits limits_of(const ColumnForm& form) noexcept {
    switch (form.oid) {
        case 21:
            return limits<std::int16_t>;
        case 23:
            return limits<std::int32_t>;
        case 20:
            return limits<std::int64_t>;
        case 26:
            return limits<std::uint32_t>;
        default:
            break;
    }
    const bool narrow = form.precision > 0 && form.precision < Decimal::most_digits;
    const Decimal::Digits most = power_of_ten(narrow ? form.precision : Decimal::most_digits) - 1;
    return {-most, most};
}

bool holds_range(const ColumnForm& form, Decimal least, Decimal most, int scale) noexcept {
    const int kept = scale_in(form, scale);
    const NumberLimits limits = limits_of(form);
    return least.floor_at(kept) >= limits.least && most.ceiling_at(kept) <= limits.most;
}

void append_number(std::string& out, Decimal number, const ColumnForm& form) {
    if (const int digits = float_digits(form); digits > 0) return number.append_float_to(out, digits);
    const int scale = scale_in(form, number.scale);
    number = {number.floor_at(scale), scale};
    number.append_to(out);
}

std::string takes_number(const Column& column, ValueType type) {
    if (type != ValueType::number) return takes("numbers", column);
    return ColumnForm::of(column, type).scale < 0 ? "it takes no numeric with a negative scale" : "";
}

}  // namespace pgsluice::rules
