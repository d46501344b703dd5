// The make functions of all transforms; see transform_table.cc.
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

std::unique_ptr<Transform> make_integer(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_numeric(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_float(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_noise(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_date(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_time(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_timestamp(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_shift(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_truncate_date(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_boolean(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_choice(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_uuid(Fields& parameters, const TransformDefaults& defaults);

}  // namespace pgsluice::rules
