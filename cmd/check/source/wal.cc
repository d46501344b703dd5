#include "cmd/check/source/wal.h"

#include "replicator/source/slot/failover.h"
#include "replicator/source/slot/health.h"
#include "replicator/source/slot/wal_limits.h"
#include "replicator/source/slot/wal_retention_check.h"

namespace pgsluice {

void look_at_wal_kept(const std::string& slot, CheckedSource& source, Findings& found) {
    for (const WalLimit& limit : look_at_wal_limits(*source.connection))
        limit.well ? found.ok(limit.text) : found.warn(limit.text, limit.way_out);
    for (const FailoverFinding& each : look_at_failover(*source.connection, source.slot))
        each.well() ? found.ok(each.text) : found.warn(each.text, each.way_out);
    if (!source.slot) return;
    const SlotHealth health = look_at_slot(*source.connection, slot);
    const SlotRetention state{health.wal_status, health.safe_bytes, static_cast<std::int64_t>(health.held_bytes)};
    const std::string warning = WalRetentionCheck::warning(slot, state, 0);
    if (!warning.empty()) found.warn(warning);
}

}  // namespace pgsluice
