// A line of what a command does or has found, on stdout. Written at once: the user may wait for it.
#pragma once

#include <cstdio>
#include <string>

#include "stream/base/printable.h"

namespace pgsluice {

inline void say(const std::string& line) {
    std::printf("%s\n", printable(line).c_str());
    std::fflush(stdout);
}

}  // namespace pgsluice
