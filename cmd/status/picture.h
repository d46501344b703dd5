// A group's health as lines for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "stream/health/group_health.h"

namespace pgsluice {

// Whole lines, each with its newline.
std::string picture(const GroupHealth& health);

// "0.4 s", "12 min", "3.5 h", "2 days"; "?" when it is not known.
std::string time_text(const std::optional<double>& seconds);
// "512 bytes", "1.5 kB", "12.3 MB"; 1 kB is 1000 bytes.
std::string size_text(std::uint64_t bytes);

}  // namespace pgsluice
