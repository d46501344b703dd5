// Messages to the operator. Only cmd/ prints; everything else is given one of these.
#pragma once

#include <functional>
#include <string_view>

namespace pgsluice {

enum class LogLevel { debug, info, warning, error };

// Called from any thread. Never given a row's values.
using Log = std::function<void(LogLevel, std::string_view)>;

// For what is said elsewhere, or is of no interest.
inline const Log silent_log = [](LogLevel, std::string_view) {};

}  // namespace pgsluice
