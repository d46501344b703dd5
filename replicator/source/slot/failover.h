// Slots that survive the promotion of a standby: PostgreSQL 17 and later copies a slot that is marked as a failover
// slot to standbys with sync_replication_slots.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "replicator/source/slot/slot.h"
#include "sql/connection.h"
#include "sql/replication.h"
#include "stream/base/log.h"

namespace pgsluice {

// How the group's slot is to be made: as a failover slot where the server has these.
sql::SlotLife lasting_slot(sql::Connection& source);

// Marks a slot of an earlier version as a failover slot. For whoever holds the group's lock, while nothing uses the
// slot. Where the server refuses, the log says so, and what to run; the slot serves as it is.
void keep_through_failover(const sql::ConnectOptions& options, sql::Connection& source, const std::string& name,
                           const SlotState& slot, const Log& log, std::stop_token stop);

// What would become of the group when a standby is promoted; for checks. Nothing before PostgreSQL 17.
struct FailoverFinding {
    std::string text;
    std::string way_out;  // empty when all is well

    [[nodiscard]] bool well() const { return way_out.empty(); }
};
std::vector<FailoverFinding> look_at_failover(sql::Connection& source, const std::optional<SlotState>& slot);

}  // namespace pgsluice
