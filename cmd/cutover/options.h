// What `pgsluice cutover` is told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pgsluice {

// What keeps the application from writing to the source from then on.
enum class StopWrites {
    tables,  // the moved tables refuse it (write_stop.h)
    none,    // the user
};

enum class CompareAt {
    before,  // while the application writes on the source: a difference ends the cutover before anything is done
    after,   // as of the cutover, while the application writes on the target
    both,
    none,
};

struct CutoverOptions {
    StopWrites stop_writes = StopWrites::tables;
    int max_write_stop_ms = 30'000;  // after that the source may be written to again, and the cutover has failed
    int max_lag_ms = 2'000;          // writes are not stopped before the lag is this small
    CompareAt compare = CompareAt::both;
    std::vector<std::string> compare_tables;  // only these; empty: all
    std::string reverse;                      // the group that leads back; empty: none
    bool undo = false;                        // let the source be written to again
};

}  // namespace pgsluice
