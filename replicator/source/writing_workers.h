// Workers of other groups that write to the source: known by the replication origins that they made there.
#pragma once

#include "replicator/options.h"
#include "sql/connection.h"
#include "stream/base/log.h"

namespace pgsluice {

// Says whose changes are passed on, or left out.
void log_writing_workers(sql::Connection& source, OriginMode mode, const Log& log);

}  // namespace pgsluice
