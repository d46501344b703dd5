// The make functions of all transforms; see the table in transform.cc.
#pragma once

#include <memory>

#include "rules/transform.h"

namespace pgsluice::rules {

std::unique_ptr<Transform> make_mask(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_regex(Fields& parameters, const TransformDefaults& defaults);

}  // namespace pgsluice::rules
