// composite: another transform applied to fields of a row type.
#pragma once

#include <memory>

#include "rules/transforms/transform.h"

namespace pgsluice::rules {

std::unique_ptr<Transform> make_composite(Fields& parameters, const TransformDefaults& defaults);

}  // namespace pgsluice::rules
