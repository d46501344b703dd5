// Where the timelines ended that a server's timeline branched off from (manual, "Streaming Replication Protocol",
// TIMELINE_HISTORY): what a promoted standby knows of the server that it followed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sql/lsn.h"

namespace pgsluice::sql {

class ReplicationConnection;

struct TimelineEnd {
    std::uint32_t timeline = 0;
    Lsn end;  // its WAL up to here is part of the later timeline's, too

    bool operator==(const TimelineEnd&) const = default;
};

// Oldest first, as the server lists it; without the timeline whose history it is.
using TimelineHistory = std::vector<TimelineEnd>;

// Of a history file's text. A stop Error when it is malformed.
TimelineHistory parse_timeline_history(std::string_view text);

// Timeline 1 has none: an empty one, without asking the server.
TimelineHistory read_timeline_history(ReplicationConnection& connection, std::uint32_t timeline);

// Nothing when the timeline is not part of the history.
std::optional<Lsn> end_of_timeline(const TimelineHistory& history, std::uint32_t timeline);

}  // namespace pgsluice::sql
