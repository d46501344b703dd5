// The make functions of all transforms; see the table in transform.cc.
#pragma once

#include <memory>

#include "rules/transforms/transform.h"

namespace pgsluice::rules {

std::unique_ptr<Transform> make_mask(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_regex(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_null(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_constant(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_redact(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_hash(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_truncate(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_json(Fields& parameters, const TransformDefaults& defaults);

}  // namespace pgsluice::rules
