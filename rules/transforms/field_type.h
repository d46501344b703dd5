// The type of a row type's field, as a rule says it: the stream has no row types, only their names.
#pragma once

#include <string>

#include "rules/place.h"
#include "stream/change.h"

namespace pgsluice::rules {

// A column of that type: "date", "text[]", or "row" for one that has fields again. usage Error for one that is not
// known.
Column field_of_type(const std::string& type, const Place& place);

}  // namespace pgsluice::rules
