// Compares the group's record of tables with the catalog and the publication while the replicator streams, on a thread
// and a connection of its own, so that the data never waits for it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>

#include "replicator/options.h"
#include "replicator/tables/wanted.h"
#include "stream/base/log.h"
#include "stream/group/table_record.h"

namespace pgsluice {

class TableMonitor {
   public:
    // At once, every options.table_check_interval_ms, and when told to look. `wanted` is copied.
    // `publication`: its version (publication.h).
    TableMonitor(const ReplicatorOptions& options, const WantedTables& wanted, std::map<Oid, TableRecord> record,
                 std::string publication, Log log);

    // Something differs that is to be repaired; until update().
    [[nodiscard]] bool differs() const noexcept { return differs_; }
    // The publication is not the one that the session began with.
    [[nodiscard]] bool publication_altered() const noexcept { return altered_; }
    void look_now();
    // The record has changed.
    void update(std::map<Oid, TableRecord> record);

   private:
    void run(const std::stop_token& stop);
    void look_on(const std::stop_token& stop);
    void look(sql::Connection& source);

    const ReplicatorOptions& options_;
    const std::chrono::milliseconds interval_;
    WantedTables wanted_;
    const std::string publication_;
    const Log log_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    bool asked_ = false;
    std::map<Oid, TableRecord> record_;
    std::uint64_t version_ = 0;  // of the record
    std::atomic<bool> differs_{false};
    std::atomic<bool> altered_{false};
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace pgsluice
