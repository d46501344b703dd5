#include "stream/process/hop_trace.h"

#ifdef PGSLUICE_HOP_TRACE

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <vector>

namespace pgsluice {

namespace {

struct Hop {
    const char* place;
    Lsn commit;
    std::int64_t at_us;
};

class Trace {
   public:
    ~Trace() {
        const char* path = std::getenv("PGSLUICE_HOP_TRACE");
        if (path == nullptr) return;
        std::ofstream file(path, std::ios::app);
        for (const Hop& hop : hops_) file << fmt::format("{} {} {}\n", hop.place, to_string(hop.commit), hop.at_us);
    }
    void add(const Hop& hop) {
        const std::lock_guard lock(mutex_);
        hops_.push_back(hop);
    }

   private:
    std::mutex mutex_;
    std::vector<Hop> hops_;
};

}  // namespace

void pass_hop(const char* place, Lsn commit, std::int64_t at_us) {
    static Trace trace;
    trace.add({place, commit, at_us});
}

void pass_hop(const char* place, Lsn commit) {
    constexpr std::chrono::seconds unix_to_postgres(946684800);
    const auto now = std::chrono::system_clock::now().time_since_epoch() - unix_to_postgres;
    pass_hop(place, commit, std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

}  // namespace pgsluice

#endif
