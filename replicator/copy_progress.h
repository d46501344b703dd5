// How far a copy is, for a bar, a log line, or KV.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pgsluice {

struct TableProgress {
    std::string name;                   // schema.table
    std::uint64_t estimated_bytes = 0;  // its size on disk; COPY text may be shorter or longer
    std::uint64_t pages = 0;            // in all, and of the ranges that are copied and published
    std::uint64_t pages_done = 0;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;  // of COPY text
    std::uint32_t ranges_left = 0;
    std::uint32_t ranges_running = 0;
};

struct CopyProgress {
    std::uint64_t epoch = 0;
    std::vector<TableProgress> tables;  // in the order of the snapshot's table numbers
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    double seconds = 0;     // since the first range began
    bool complete = false;  // the last call
};

// Called a few times a second from one thread; must return quickly.
using OnCopyProgress = std::function<void(const CopyProgress&)>;

}  // namespace pgsluice
