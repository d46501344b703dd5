// Runs sessions from source PostgreSQL to JetStream; the loop itself is wal/stream.h.
#pragma once

#include <functional>
#include <stop_token>

#include "replicator/options.h"
#include "stream/base/log.h"

namespace pgsluice {

// One session from durable state: connects, decides what to do (start_up.h), copies, streams. Returns when a copy is
// complete (mode copy) or when asked to stop and everything taken from the WAL is acknowledged and confirmed. Throws
// Error; the supervise loop calls it again after a retry Error. `running` is called once start-up has succeeded.
void run_replicator(const ReplicatorOptions& options, const Log& log, const std::function<void()>& running,
                    std::stop_token stop);

}  // namespace pgsluice
