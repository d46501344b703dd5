// A row's value as rules read it, and how they stop at one.
#pragma once

#include <string>
#include <string_view>

#include "rules/place.h"
#include "rules/values/value_type.h"
#include "stream/change.h"

namespace pgsluice::rules {

// A stop Error that names the rule.
[[noreturn]] void stop(const Place& place, std::string_view reason, std::string hint = {});
// The text of a value that is neither NULL nor unchanged, without the blanks that pad a char(n). A stop Error where the
// rule looks at characters and it is not valid UTF-8.
std::string_view readable(const Value& value, ValueType type, bool reads_text, const Place& place);

}  // namespace pgsluice::rules
