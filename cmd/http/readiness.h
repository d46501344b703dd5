// Whether a replicator or worker makes progress: what /readyz answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace pgsluice {

// One look at a process.
struct Movement {
    bool running = false;     // a session is at work: not starting, and not waiting to start again
    std::string trouble;      // when it is not: the last error, if any
    bool work = false;        // there is something to do
    std::uint64_t moved = 0;  // changes with everything that is done
    std::string waiting_for;  // what it is that does not get done, for the answer
};

class Readiness {
   public:
    using Time = std::chrono::steady_clock::time_point;

    // So long may work not move.
    static constexpr std::chrono::seconds patience{30};

    void look(const Movement& movement, Time now);
    // Why it is not ready; empty when it is.
    [[nodiscard]] std::string reason(Time now) const;

   private:
    Movement last_;
    Time moved_at_{};
    bool looked_ = false;
};

}  // namespace pgsluice
