// Compiled patterns of rules.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>

#include "rules/place.h"

namespace pgsluice::rules {

// usage Error saying what is wrong with the pattern.
std::unique_ptr<re2::RE2> compile_regex(const std::string& pattern, const Place& place);

}  // namespace pgsluice::rules
