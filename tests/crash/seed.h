// What repeats a run: PGSLUICE_CRASH_SEED the faults and the transactions, PGSLUICE_CRASH_ROUNDS how many faults.
#pragma once

#include <cstdlib>
#include <iostream>
#include <random>

namespace pgsluice::test {

inline unsigned number_from(const char* variable, unsigned otherwise) {
    const char* given = std::getenv(variable);
    return given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : otherwise;
}

// Printed, so that a failure can be repeated.
inline unsigned crash_seed() {
    const unsigned seed = number_from("PGSLUICE_CRASH_SEED", std::random_device{}());
    std::cout << "PGSLUICE_CRASH_SEED=" << seed << std::endl;
    return seed;
}

inline int crash_rounds(unsigned otherwise) {
    return static_cast<int>(number_from("PGSLUICE_CRASH_ROUNDS", otherwise));
}

}  // namespace pgsluice::test
