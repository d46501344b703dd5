// What the rules and the route of a table mean for its rows, in a form that two starts can compare: digests that depend
// on nothing else, so not on the files' layout, on comments, or on rules for other tables and other columns.
#pragma once

#include <string>
#include <string_view>

#include "rules/rule_compiler.h"
#include "stream/group/delivered_rules.h"

namespace pgsluice::rules {

DeliveredRules meaning_of(const CompilerInput& input);

// By which two texts are compared; empty for an empty one.
std::string meaning_digest(std::string_view text);

}  // namespace pgsluice::rules
