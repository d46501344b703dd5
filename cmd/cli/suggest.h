// "Did you mean ...?": the nearest of some names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgsluice {

// Empty when none is close.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);
// "Did you mean '--tables'?", or empty.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace pgsluice
