// An expression's functions. What is not known is a usage Error that names `at`, the place of the node.
#pragma once

#include <cstdint>
#include <string_view>

#include "rules/expressions/part.h"

namespace pgsluice::rules {

Part call_function(const Typing& typing, std::int64_t at, std::string_view name, Parts arguments);
// The value that is greatest (1) or least (-1) of those that are not NULL.
Part extreme(const Typing& typing, std::int64_t at, Parts parts, int sign);
Part null_if(const Typing& typing, std::int64_t at, Part value, Part other);

}  // namespace pgsluice::rules
