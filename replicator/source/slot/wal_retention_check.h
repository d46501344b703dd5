// Warns before the source removes WAL that the slot still needs (max_slot_wal_keep_size).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "replicator/source/slot/retention.h"
#include "stream/base/log.h"
#include "stream/health/group_health.h"

namespace pgsluice {

class WalRetentionCheck {
   public:
    WalRetentionCheck(std::string slot, Log log) : slot_(std::move(slot)), log_(std::move(log)) {}

    // Warns of what was just seen of the slot when there is a reason, and says when that is over; at most one line
    // every ten seconds. Nothing while there is no such slot.
    std::optional<SlotRetention> look(const SlotHealth& seen, std::chrono::steady_clock::time_point now);
    // The warning for a state, empty when all is well. `bytes_per_second`: how fast WAL is written, 0 when not known.
    static std::string warning(const std::string& slot, const SlotRetention& state, double bytes_per_second);

   private:
    [[nodiscard]] double rate(std::int64_t wal_end, std::chrono::steady_clock::time_point now);

    std::string slot_;
    Log log_;
    std::optional<std::int64_t> last_end_;
    std::chrono::steady_clock::time_point last_look_;
    double rate_ = 0;
    std::chrono::steady_clock::time_point next_warning_;
    bool warned_ = false;  // the last time
};

}  // namespace pgsluice
