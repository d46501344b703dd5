// The group that leads back, from the target to the source: without a copy, and begun before anybody writes to the
// target, so that it misses nothing of what is written there.
//
// What the worker of the group that leads there writes to the target has a replication origin, and is left out. So it
// does not matter that the worker goes on writing after this group has begun.
#pragma once

#include "cmd/cli/settings.h"
#include "cmd/cutover/moved_tables.h"
#include "stream/base/log.h"

namespace pgsluice {

// Makes slot and publication on the target, and the stream; nothing where they are there. No process of the group runs
// when this returns.
void begin_reverse(const Settings& settings, const MovedTables& tables, const Log& log, const std::stop_token& stop);

}  // namespace pgsluice
