#include "replicator/failover/timeline_watch.h"

#include <fmt/format.h>

#include "replicator/group_state.h"
#include "replicator/source/session.h"
#include "stream/group/info.h"

namespace pgsluice {

TimelineWatch::TimelineWatch(const ReplicatorEnds& ends)
    : ends_(ends),
      connection_(connect_replication(ends.options.source, ends.stop)),
      known_(connection_.identify_system().timeline) {}

void TimelineWatch::look() {
    const std::uint32_t now = connection_.identify_system().timeline;
    if (now == known_) return;
    const Names& names = ends_.options.names;
    auto info = find_group_info(ends_.broker, names, ends_.broker.stream_state(names.stream));
    if (!info) return;
    info->timeline = now;
    GroupState(ends_.broker, names).remember(*info);
    ends_.log(LogLevel::info, fmt::format("the source has come from timeline {} to {} while it is read", known_, now));
    known_ = now;
}

}  // namespace pgsluice
