// What differs where the source is a standby (PostgreSQL 16 or later, --from-standby): nothing can be written there,
// and a slot is made only once the primary has logged which transactions are running.
#pragma once

#include <chrono>
#include <span>
#include <string>

#include "sql/connection.h"
#include "sql/recovery.h"
#include "stream/base/log.h"

namespace pgsluice {

// An Error where the source is a standby, and that was not asked for or its version cannot do it.
void check_primary(sql::Connection& connection, bool from_standby);

// Warns of what makes a standby lose the slot.
void check_standby_settings(sql::Connection& connection, const Log& log);

// Where the source is a standby, a stop Error that names these statements, which are to be run on the primary; with
// retry, what waits for that.
void refuse_on_standby(sql::Connection& connection, const std::string& doing, std::span<const std::string> statements,
                       bool retry);
// A stop Error.
void check_ddl_on_standby(sql::Connection& connection);

// While a slot is made: says for what an idle primary is waited for.
class StandbySnapshotWait {
   public:
    using Clock = std::chrono::steady_clock;

    // `source` is asked once, now.
    StandbySnapshotWait(sql::Connection& source, const Log& log, std::string slot)
        : log_(log), slot_(std::move(slot)), standby_(in_recovery(source)) {}
    StandbySnapshotWait(const StandbySnapshotWait&) = delete;
    StandbySnapshotWait& operator=(const StandbySnapshotWait&) = delete;
    ~StandbySnapshotWait();

    // To be called again and again.
    void look();

   private:
    const Log& log_;
    const std::string slot_;
    const bool standby_;
    Clock::time_point next_log_ = Clock::now() + std::chrono::seconds(3);
    bool said_ = false;
};

}  // namespace pgsluice
