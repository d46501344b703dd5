// What pg_replication_slots says of how long the group's slot can keep its WAL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pgsluice {

struct SlotRetention {
    std::string wal_status;                     // reserved, extended, unreserved or lost
    std::optional<std::int64_t> safe_wal_size;  // bytes that may still be written; nothing without a limit
    std::int64_t retained_bytes = 0;            // from restart_lsn to the WAL's end
    std::int64_t wal_end = 0;                   // the WAL's end as a number, for its rate
    double bytes_per_second = 0;                // at which WAL was written lately; 0 while that is not known
    bool active = false;
};

}  // namespace pgsluice
