// The secret of a rules file.
#pragma once

#include <string>

#include "rules/transforms/transform.h"

namespace pgsluice::rules {

// By `secret_env` or `secret_file` of the rule or of the file. usage Error without one; its text does not repeat what
// they say: it may be the secret itself, by mistake. The caller cleanses the secret.
std::string read_secret(Fields& parameters, const TransformDefaults& defaults);

}  // namespace pgsluice::rules
