// A line of what a cutover does. Written at once: the user waits for it.
#pragma once

#include <cstdio>
#include <string>

namespace pgsluice {

inline void say(const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
}

}  // namespace pgsluice
