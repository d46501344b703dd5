// The texts that a value holds: those within JSON, also within a text, and within arrays; what is written as %40 or as
// hex digits (bytea), too.
#pragma once

#include <functional>
#include <string_view>

#include "rules/values/value_type.h"

namespace pgsluice {

// Calls `use` with each; names of JSON's members are texts as well where `names` says so.
void each_text(std::string_view value, rules::ValueType type, bool names,
               const std::function<void(std::string_view)>& use);

}  // namespace pgsluice
