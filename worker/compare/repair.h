// Writes the source's rows over those that differ, so that it does not conflict with the worker.
//
// The worker stands at an LSN once more (cut.h). In a snapshot of the source at that LSN each row is looked up again by
// its key; in one transaction on the target it is written, or deleted where the source has none. That transaction
// begins by locking the worker's progress row and comparing its position with the LSN. The worker moves that row in
// every transaction of its own, so none of its commits lies between what we read and what we write, even if it stops
// waiting for us: it then waits for the lock. When it continues, it applies what committed after the LSN to rows that
// are as the source had them there.
//
// Rows without a key are counted: at the LSN, how often does each of them occur at either end.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "stream/base/log.h"
#include "stream/broker.h"
#include "worker/compare/cut.h"
#include "worker/compare/differences.h"
#include "worker/compare/options.h"
#include "worker/compare/table.h"

namespace pgsluice {

// How many of the differences are none any more. `ends` are where they were found.
std::uint64_t repair(const ComparedTable& table, const std::vector<Difference>& differences, BothEnds& ends,
                     const CompareOptions& options, Broker& broker, const Log& log, const std::stop_token& stop);

}  // namespace pgsluice
