// `${VAR}` and `${file:PATH}` in a configuration file's values.
#pragma once

#include <string>
#include <string_view>

#include "cmd/cli/environment.h"

namespace pgsluice {

// The value with each `${VAR}` replaced by the environment's variable and each `${file:PATH}` by the file's contents
// without trailing line breaks; `$${` stands for `${`. A BadValue that names the variable or the file, never a value:
// not set, not readable, empty, or not closed.
std::string expand_references(std::string_view text, const Environment& environment);
// Whether there is any, so that the text itself holds no secret.
bool has_references(std::string_view text);

}  // namespace pgsluice
