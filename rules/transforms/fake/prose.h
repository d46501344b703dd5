// A sentence, for what is made of some.
#pragma once

#include <string>

#include "rules/transforms/fake/locale.h"

namespace pgsluice::rules {

void sentence(Draw& draw, const Locale& locale, std::string& out);

}  // namespace pgsluice::rules
