// How far a copy is, for a bar, a log line, or KV.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pgsluice {

struct TableProgress {
    std::string name;                   // schema.table
    std::uint64_t estimated_bytes = 0;  // its size on disk; COPY text may be shorter or longer
    std::uint64_t pages = 0;            // in all, of the ranges that are copied and published, and of those under way
    std::uint64_t pages_done = 0;
    std::uint64_t pages_running = 0;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;       // of COPY text
    std::uint64_t bytes_done = 0;  // the same of the ranges that are done
    std::uint32_t ranges_left = 0;
    std::uint32_t ranges_running = 0;
};

struct SnapshotProgress {
    std::uint64_t epoch = 0;
    std::vector<TableProgress> tables;  // in the order of the snapshot's table numbers
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    double seconds = 0;     // since the first range began
    bool complete = false;  // all of it is in the stream
    bool ended = false;     // the last call, complete or not
};

// Called a few times a second from one thread, and once at the end, however that comes; must return quickly.
using OnSnapshotProgress = std::function<void(const SnapshotProgress&)>;

// 0 to 1. Of ranges under way it is guessed from the text they brought so far.
double share_done(const TableProgress& table);
// Of all tables, by their size.
double share_done(const SnapshotProgress& progress);
std::size_t tables_done(const SnapshotProgress& progress);
// Of COPY text; a MB is 10^6 bytes.
double megabytes_per_second(const SnapshotProgress& progress);
// At the speed so far; nothing while too little is copied to tell.
std::optional<double> seconds_left(const SnapshotProgress& progress);

// The value of KV key "snapshot" (FORMAT.md, "Keys").
std::string to_json(const SnapshotProgress& progress);
// "copied 120000 rows, 13.1 MB at 41.2 MB/s; 1 of 3 tables complete; 43 %, about 0:42 left".
std::string to_text(const SnapshotProgress& progress);
// "0:07", "12:40", "3:05:00".
std::string clock_text(double seconds);

}  // namespace pgsluice
