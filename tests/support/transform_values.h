// Many different values that a transform takes, made of an example of its table.
#pragma once

#include <cstdint>
#include <string>

#include "rules/transforms/transform_table.h"

namespace pgsluice::test {

// Of the example's column. Different for each `number` below 100 million, where it is a text, a number or a uuid.
std::string nth_value(const rules::TransformExample& example, std::uint64_t number);

}  // namespace pgsluice::test
