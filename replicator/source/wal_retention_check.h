// Warns before the source removes WAL that the slot still needs (max_slot_wal_keep_size).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "sql/connection.h"
#include "stream/log.h"

namespace pgsluice {

// What pg_replication_slots says of the slot.
struct SlotRetention {
    std::string wal_status;                     // reserved, extended, unreserved or lost
    std::optional<std::int64_t> safe_wal_size;  // bytes that may still be written; nothing without a limit
    std::int64_t retained_bytes = 0;            // from restart_lsn to the WAL's end
    std::int64_t wal_end = 0;                   // the WAL's end as a number, for its rate
};

class WalRetentionCheck {
   public:
    WalRetentionCheck(std::string slot, Log log) : slot_(std::move(slot)), log_(std::move(log)) {}

    // Asks the source and warns when there is a reason; at most one line per call.
    void look(sql::Connection& source, std::chrono::steady_clock::time_point now);
    // The warning for a state, empty when all is well. `bytes_per_second`: how fast WAL is written, 0 when not known.
    static std::string warning(const std::string& slot, const SlotRetention& state, double bytes_per_second);

   private:
    std::string slot_;
    Log log_;
    std::optional<std::int64_t> last_end_;
    std::chrono::steady_clock::time_point last_look_;
};

}  // namespace pgsluice
