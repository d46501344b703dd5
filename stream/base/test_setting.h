// Times that a test shortens: numbers from the environment, in builds with failpoints (failpoint.h) only.
#pragma once

#ifdef PGSLUICE_FAILPOINTS
#include <cstdlib>
#endif

namespace pgsluice {

inline int test_setting([[maybe_unused]] const char* variable, int otherwise) noexcept {
#ifdef PGSLUICE_FAILPOINTS
    if (const char* given = std::getenv(variable)) return static_cast<int>(std::strtol(given, nullptr, 10));
#endif
    return otherwise;
}

}  // namespace pgsluice
