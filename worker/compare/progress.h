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

    // Of all tables; without a name.
    [[nodiscard]] ComparedSoFar total() const {
        ComparedSoFar sum;
        for (const ComparedSoFar& table : tables) {
            sum.pages += table.pages;
            sum.pages_done += table.pages_done;
            sum.rows += table.rows;
        }
        return sum;
    }
};

// Called a few times a second from one thread.
using OnCompareProgress = std::function<void(const CompareProgress&)>;

}  // namespace pgsluice
