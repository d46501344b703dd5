// Values that a filter compares as the text that PostgreSQL prints: whether another text is of that form. One that is
// not would equal no row's.
#pragma once

#include <string>
#include <string_view>

#include "stream/change.h"

namespace pgsluice::rules {

// Throws Unreadable when a bytea, inet, cidr or macaddr column never holds this text. Of other types nothing is said.
void check_printed_form(std::string_view text, const Column& column);

}  // namespace pgsluice::rules
