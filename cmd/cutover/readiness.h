// Whether a group may be cut over, as its health shows it.
#pragma once

#include <chrono>

#include "cmd/cli/settings.h"
#include "sql/connection.h"
#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/health/group_health.h"

namespace pgsluice {

class CutoverReadiness {
   public:
    CutoverReadiness(const Settings& settings, Broker& broker, sql::Connection& source, const Log& log)
        : settings_(settings), broker_(broker), source_(source), log_(log) {}

    // A stop Error when something would keep the target from getting all that the source has.
    void require();
    // Returns once no table is to be copied, and slot and worker are at most settings.cutover.max_lag_ms behind; says
    // every ten seconds how far they are. A stop Error when one of them does not run any more.
    void await_small_lag();

   private:
    GroupHealth look();
    [[nodiscard]] const WorkerHealth& worker_of(const GroupHealth& health) const;
    [[nodiscard]] bool is_small(const GroupHealth& health) const;

    const Settings& settings_;
    Broker& broker_;
    sql::Connection& source_;
    const Log& log_;
};

}  // namespace pgsluice
