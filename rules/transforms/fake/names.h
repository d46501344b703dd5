// Names of people, for what is made of them.
#pragma once

#include <string>

#include "rules/transforms/fake/locale.h"

namespace pgsluice::rules {

void any_first_name(Draw& draw, const Locale& locale, std::string& out);

}  // namespace pgsluice::rules
