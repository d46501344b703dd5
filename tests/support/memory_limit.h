// Limits on memory in a build with a sanitizer, which keeps freed memory for a while and adds its own to each piece.
#pragma once

namespace pgsluice::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr long memory_factor = 8;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr long memory_factor = 8;
#else
inline constexpr long memory_factor = 1;
#endif
#else
inline constexpr long memory_factor = 1;
#endif

}  // namespace pgsluice::test
