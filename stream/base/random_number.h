// 64 random bits, for names that nothing else has. Not for secrets.
#pragma once

#include <cstdint>
#include <random>

namespace pgsluice {

inline std::uint64_t random_number() {
    std::random_device device;
    return (std::uint64_t{device()} << 32U) | device();
}

}  // namespace pgsluice
