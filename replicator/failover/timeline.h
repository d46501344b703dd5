// Whether the source is on the timeline that the group's stream was read from, or on one that branched off from it
// later than all that was published: then it was promoted, and the group continues.
#pragma once

#include <stop_token>

#include "replicator/start_up.h"
#include "sql/connection.h"

namespace pgsluice {

// Asks the source for `history`, if its timeline is another than the group's.
void find_timeline_history(StartFacts& facts, const sql::ConnectOptions& source, std::stop_token stop);

// Whether it was promoted since the group read it last.
bool was_promoted(const StartFacts& facts);

// A stop Error when its WAL is not the continuation of what was published. Pure.
void check_timeline(const StartFacts& facts);

}  // namespace pgsluice
