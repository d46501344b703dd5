// Keyed transforms: what a value becomes is drawn with an HMAC-SHA-256 of it under the file's secret. The same value
// gives the same result in every table, after every restart and on every machine; who does not have the secret cannot
// try values.
//
// `by: column` takes another column of the row instead of the value, so that all of a person's rows get the same;
// `random: true` takes nothing, so that nothing can be joined.
#pragma once

#include <memory>
#include <string_view>

#include "rules/transforms/keyed/recipe.h"
#include "rules/transforms/transform.h"

namespace pgsluice::rules {

// `name` is the transform's: two transforms draw different numbers of one value. Takes the parameters by, random,
// secret_env and secret_file.
std::unique_ptr<Transform> make_keyed(std::string_view name, std::unique_ptr<const Recipe> recipe, Fields& parameters,
                                      const TransformDefaults& defaults);

}  // namespace pgsluice::rules
