// An expression's operators. What is not known is a usage Error that names `at`, the place of the node.
#pragma once

#include <cstdint>
#include <string_view>

#include "rules/expressions/part.h"

namespace pgsluice::rules {

Part unary_operator(const Typing& typing, std::int64_t at, std::string_view name, Part part);
Part binary_operator(const Typing& typing, std::int64_t at, std::string_view name, Part a, Part b);
// = <> < <= > >=
Part comparison(const Typing& typing, std::int64_t at, std::string_view name, Part a, Part b);

}  // namespace pgsluice::rules
