// The group's replication slot, as the catalog shows it.
#pragma once

#include <optional>
#include <string>

#include "sql/connection.h"
#include "sql/lsn.h"

namespace pgsluice {

struct SlotState {
    bool ours = true;                 // a logical pgoutput slot of this database
    int active_pid = 0;               // of the walsender that uses it; 0: nobody
    bool invalidated = false;         // its WAL or rows are gone: it can never be read again
    Lsn confirmed;                    // confirmed_flush_lsn; not valid while the slot is still being created
    std::string plugin_and_database;  // "pgoutput in shop", for messages
};

std::optional<SlotState> find_slot(sql::Connection& connection, const std::string& name);
// Nothing happens when it is not there. A retry Error while somebody uses it.
void drop_slot(sql::Connection& connection, const std::string& name);

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
