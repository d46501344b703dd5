// How far a comparison is, for a bar.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pgsluice {

struct ComparedSoFar {
    std::string name;
    std::uint64_t pages = 0;  // of both ends
    std::uint64_t pages_done = 0;
    std::uint64_t rows = 0;  // read so far, at both ends
};

struct CompareProgress {
    std::vector<ComparedSoFar> tables;
    double seconds = 0;
    bool ended = false;  // the last call
};

// Called a few times a second from one thread.
using OnCompareProgress = std::function<void(const CompareProgress&)>;

}  // namespace pgsluice
