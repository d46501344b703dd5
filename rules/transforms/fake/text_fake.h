// Fakes that are words of a locale's lists: texts that may be cut, and do not look at the value.
#pragma once

#include <string>

#include "rules/transforms/fake/locale.h"
#include "rules/transforms/keyed/recipe.h"

namespace pgsluice::rules {

using TextFake = void (*)(Draw& draw, const Locale& locale, std::string& out);

// With the parameter `locale`. `more` is what other parameters say, for describe().
std::unique_ptr<Transform> make_text_fake(std::string_view name, TextFake fake, Fields& parameters,
                                          const TransformDefaults& defaults, std::string more = {});

}  // namespace pgsluice::rules
