// Whether a value that a rules file gives is one of a column's type.
#pragma once

#include <string>
#include <string_view>

#include "rules/values/value_type.h"

namespace pgsluice::rules {

// Why the column cannot take what `parameter` says; empty when it can. Enums, ranges, elements of arrays and other
// types are left to the target.
std::string does_not_fit(std::string_view text, std::string_view parameter, const Column& column, ValueType type);

// "t" or "f", as PostgreSQL prints it.
std::string_view boolean_text(std::string_view text);

}  // namespace pgsluice::rules
