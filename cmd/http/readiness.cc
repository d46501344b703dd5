#include "cmd/http/readiness.h"

#include <fmt/format.h>

namespace pgsluice {

void Readiness::look(const Movement& movement, Time now) {
    const bool begins = movement.running && !last_.running;
    if (!looked_ || begins || !movement.work || !last_.work || movement.moved != last_.moved) moved_at_ = now;
    last_ = movement;
    looked_ = true;
}

std::string Readiness::reason(Time now) const {
    if (!last_.running)
        return last_.trouble.empty() ? "starting" : fmt::format("waiting to start again after: {}", last_.trouble);
    const auto still = std::chrono::duration_cast<std::chrono::seconds>(now - moved_at_);
    if (!last_.work || still < patience) return {};
    return fmt::format("no progress for {} s: {}", still.count(), last_.waiting_for);
}

}  // namespace pgsluice
