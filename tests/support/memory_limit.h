// Limits on memory in a build with a sanitizer, which keeps freed memory for a while and adds its own to each piece.
#pragma once

#include "cmd/sanitized.h"

namespace pgsluice::test {

inline constexpr long memory_factor = sanitized ? 8 : 1;

}  // namespace pgsluice::test
