// Numbers in the form that a column's type has.
#pragma once

#include <string>

#include "rules/transforms/keyed/recipe.h"
#include "rules/values/decimal.h"

namespace pgsluice::rules {

// Digits of a real or double precision that are surely its own; 0 of other types.
int float_digits(const ColumnForm& form) noexcept;
// Decimals that the column's numbers have, where `scale` are wanted.
int scale_in(const ColumnForm& form, int scale) noexcept;
// What a column can hold, at the scale that scale_in() gives.
struct NumberLimits {
    Decimal::Digits least;
    Decimal::Digits most;
};
NumberLimits limits_of(const ColumnForm& form) noexcept;
// Whether it holds all of this range, of which `scale` decimals are wanted.
bool holds_range(const ColumnForm& form, Decimal least, Decimal most, int scale) noexcept;
// As PostgreSQL prints it in such a column.
void append_number(std::string& out, Decimal number, const ColumnForm& form);
// For unfit(): not a number, or of a kind that is not written in decimals.
std::string takes_number(const Column& column, ValueType type);

}  // namespace pgsluice::rules
