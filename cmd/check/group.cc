#include "cmd/check/group.h"

#include <fmt/format.h>

#include "replicator/failover/timeline.h"
#include "replicator/source/publication.h"
#include "replicator/source/recovery.h"
#include "replicator/source/session.h"
#include "replicator/start_up.h"
#include "sql/error.h"

namespace pgsluice {

namespace {

StartFacts facts_of(const ReplicatorOptions& options, CheckedSource& source, Broker& broker,
                    const std::stop_token& stop) {
    StartFacts facts;
    facts.mode = options.mode;
    facts.resnapshot = options.resnapshot;
    facts.names = options.names;
    facts.source = *source.identity;
    facts.publication_exists = publication_exists(*source.connection, options.names.publication);
    facts.slot = source.slot;
    facts.wal_end = wal_end(*source.connection);
    facts.in_recovery = in_recovery(*source.connection);
    find_stream_facts(facts, broker);
    find_timeline_history(facts, options.source, stop);
    return facts;
}

const char* text_of(StartDecision::Then then) {
    switch (then) {
        case StartDecision::Then::new_slot:
            return "a new slot would be made, and changes followed from then on";
        case StartDecision::Then::copy:
            return "a new slot would be made, and the tables copied";
        case StartDecision::Then::resume:
            return "a start would continue where the group is";
        case StartDecision::Then::finished:
            return "the copy is complete already";
    }
    return "";
}

}  // namespace

std::vector<CheckFinding> look_at_group(const ReplicatorOptions& options, CheckedSource& source,
                                        const std::stop_token& stop) {
    Findings found("group");
    if (!source.identity) return found.take();
    found.attempt([&](const Log&) {
        const auto broker = Broker::connect(options.nats, silent_log, stop);
        const StartFacts facts = facts_of(options, source, *broker, stop);
        const bool runs = facts.slot && facts.slot->ours && facts.slot->active_pid != 0;
        if (runs && options.standby)
            return found.ok(fmt::format("its replicator is running (server process {}), so this one would stand by",
                                        facts.slot->active_pid));
        if (runs)
            return found.warn(
                fmt::format("its replicator is running (server process {}), so a second one would not "
                            "start",
                            facts.slot->active_pid));
        found.ok(fmt::format("'{}': {}", options.names.group, text_of(decide_replicator_start(facts).then)));
    });
    return found.take();
}

}  // namespace pgsluice
