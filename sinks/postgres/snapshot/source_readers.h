// Sessions on the source that read a snapshot which the replicator holds there.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "sinks/options.h"
#include "sql/connection.h"
#include "stream/format/direct_plan.h"

namespace pgsluice {

struct SourceReaders {
    std::stop_source stop;                     // wakes them from every wait
    std::vector<sql::Connection> connections;  // in a transaction each, with the tables' locks
};

// Nothing when the source does not hold the snapshot any more. A stop Error when it is another database than `source`
// (database_id(); empty: not known), or a standby. Waits for locks as long as it takes, and calls `tell` meanwhile.
std::optional<SourceReaders> open_source_readers(const PostgresSinkOptions& options, const DirectPlan& plan,
                                                 const std::string& source, const std::function<void()>& tell,
                                                 const std::stop_token& stop);

}  // namespace pgsluice
