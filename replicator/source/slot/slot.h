// The group's replication slot, as the catalog shows it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "sql/connection.h"
#include "sql/lsn.h"
#include "sql/replication.h"
#include "stream/base/log.h"

namespace pgsluice {

struct SlotState {
    bool ours = true;                 // a logical pgoutput slot of this database
    int active_pid = 0;               // of the walsender that uses it; 0: none
    bool invalidated = false;         // its WAL or rows are gone: it can never be read again
    bool was_idle = false;            // why it was invalidated: idle_replication_slot_timeout (PostgreSQL 18)
    Lsn confirmed;                    // confirmed_flush_lsn; not valid while the slot is still being created
    bool failover = false;            // standbys keep a copy of it (PostgreSQL 17)
    std::string plugin_and_database;  // "pgoutput in shop", for messages

    [[nodiscard]] bool being_created() const noexcept { return ours && active_pid != 0 && !confirmed.valid(); }
};

std::optional<SlotState> find_slot(sql::Connection& connection, const std::string& name);
// Does nothing when there is no such slot. A retry Error while it is in use.
void drop_slot(sql::Connection& connection, const std::string& name);

// A replicator killed while its slot was being created leaves a walsender that keeps waiting for open transactions.
// Ends it: whoever holds the group's lock knows that it is not in use. Returns what is left of the slot.
std::optional<SlotState> end_abandoned_creation(sql::Connection& connection, const std::string& name,
                                                const SlotState& found, const Log& log);

// A replicator that was cut off from the source may leave its walsender active on the slot, until the server notices
// (wal_sender_timeout, a minute by default, or never). Waits `patience` for it, then ends it if it is ours: of our role
// and our application_name. For whoever holds the group's lock: the walsender's replicator does not. Returns what the
// slot is then; the walsender of another role or program is left alone, and one that does not end stays as active_pid.
std::optional<SlotState> end_left_walsender(sql::Connection& connection, const std::string& name,
                                            std::optional<SlotState> found, std::chrono::milliseconds patience,
                                            const Log& log);

// Makes the slot over `creator`. What that waits for is said: open transactions, and on a standby the primary.
// `observer` is otherwise idle; `our_pids` are backends whose locks we keep. Throws Deadlocked (lock_wait_monitor.h).
sql::CreatedSlot create_slot(sql::ReplicationConnection& creator, const std::string& name, sql::SlotLife life,
                             sql::SlotSnapshot snapshot, sql::Connection& observer, const Log& log,
                             std::vector<int> our_pids = {});

// Drops a slot when left by an exception, so that a failed start pins no WAL: over a connection of its own that no stop
// token ends. Does nothing after keep(). What it cannot drop, the next start drops.
class SlotGuard {
   public:
    SlotGuard(sql::ConnectOptions source, std::string name) : source_(std::move(source)), name_(std::move(name)) {}
    SlotGuard(const SlotGuard&) = delete;
    SlotGuard& operator=(const SlotGuard&) = delete;
    ~SlotGuard();

    void keep() noexcept { name_.clear(); }

   private:
    sql::ConnectOptions source_;
    std::string name_;
};

}  // namespace pgsluice
