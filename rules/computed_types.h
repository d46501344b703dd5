// Whether the columns of a target's table take what expressions make.
#pragma once

#include <map>
#include <string>

#include "rules/compiled_rules.h"

namespace pgsluice::rules {

// `types` are by the name of the target's column, as format_type() prints them without length and precision; those that
// are not known may be missing. usage Error for one that does not take all values of its expression's type.
void check_computed_types(const CompiledRules& rules, const std::map<std::string, std::string>& types);

}  // namespace pgsluice::rules
