#include "replicator/failover/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "replicator/source/session.h"
#include "sql/error.h"

namespace pgsluice {

namespace {

// Whether the stream has a change of a transaction that the new timeline lacks. A commit's record begins at `commit`.
bool has_change_after(const Position& position, Lsn end) {
    return position.commit > end || (position.commit == end && position.ordinal > 0);
}

[[noreturn]] void stop_for(const StartFacts& facts, const std::string& reason, const std::string& way_out) {
    throw stop_error(fmt::format("unable to continue with group '{}': {}", facts.names.group, reason), way_out);
}

[[noreturn]] void stop_for_lost_changes(const StartFacts& facts, Lsn end) {
    const MessageMeta& last = facts.last->meta;
    const bool changes = has_change_after(last.position, end);
    stop_for(
        facts,
        fmt::format("the source's timeline {} branched off from timeline {} at {}, and the stream is at {}: the server "
                    "that was promoted {}",
                    facts.source.timeline, facts.group->timeline, to_string(end),
                    to_string(std::max(last.position.commit, last.safe_flush_lsn)),
                    changes ? "lacks changes that were replicated"
                            : "lacks WAL that was read, though none of it was the group's"),
        start_over_hint(facts) +
            " From PostgreSQL 17 on, synchronized_standby_slots on the source keeps changes from being replicated "
            "before the standbys have them.");
}

}  // namespace

void find_timeline_history(StartFacts& facts, const sql::ConnectOptions& source, std::stop_token stop) {
    if (!was_promoted(facts) || !facts.history.empty()) return;
    auto connection = connect_replication(source, std::move(stop));
    facts.history = sql::read_timeline_history(connection, facts.source.timeline);
}

bool was_promoted(const StartFacts& facts) { return facts.group && facts.group->timeline != facts.source.timeline; }

void check_timeline(const StartFacts& facts) {
    if (!was_promoted(facts)) return;
    const auto end = sql::end_of_timeline(facts.history, facts.group->timeline);
    if (!end)
        stop_for(facts,
                 fmt::format("it has read the source's timeline {0}, and the source is on timeline {1}, which does not "
                             "come from it: timeline {0} is that of another server, or was given up",
                             facts.group->timeline, facts.source.timeline),
                 "Connect to the server that the group has read last, or to one that was promoted after it. " +
                     start_over_hint(facts));
    if (!facts.last) return;
    const MessageMeta& last = facts.last->meta;
    if (has_change_after(last.position, *end) || last.safe_flush_lsn > *end) stop_for_lost_changes(facts, *end);
}

}  // namespace pgsluice
