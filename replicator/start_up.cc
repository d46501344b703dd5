#include "replicator/start_up.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "replicator/failover/timeline.h"
#include "sql/error.h"
#include "stream/group/info.h"
#include "stream/recovery_hint.h"

namespace pgsluice {

std::string start_over_hint(const StartFacts& facts) {
    return fmt::format("{} to copy group '{}' again, or use another --group.", resnapshot_hint, facts.names.group);
}

namespace {

using Then = StartDecision::Then;

void check_slot(const StartFacts& facts) {
    if (!facts.slot) return;
    if (!facts.slot->ours) {
        throw stop_error(fmt::format("unable to use slot '{}': it was not made by pgsluice, it is a slot of {}",
                                     facts.names.slot, facts.slot->plugin_and_database),
                         fmt::format("Choose another --group. If nothing needs the slot any more, drop it in the "
                                     "database that it is of: SELECT pg_drop_replication_slot('{}').",
                                     facts.names.slot));
    }
    if (facts.slot->active_pid != 0) {
        throw retry_error(
            fmt::format("unable to use slot '{}': server process {} is using it", facts.names.slot,
                        facts.slot->active_pid),
            fmt::format(
                "Run one replicator per group; stop the other one first. If it is gone, run SELECT "
                "pg_terminate_backend({}) on the source, as the role of that process or a member of pg_signal_backend.",
                facts.slot->active_pid));
    }
}

void check_holes(const StartFacts& facts) {
    if (!facts.stream || facts.stream->last_seq.value == 0) return;
    const auto& stream = *facts.stream;
    if (has_holes(stream) && !facts.holes_are_foreign) {
        throw stop_error(
            fmt::format(
                "unable to use stream '{}': it holds {} messages between sequences {} and {}, so some are missing",
                facts.names.stream, stream.messages, stream.first_seq.value, stream.last_seq.value),
            recreate_group_hint);
    }
}

void check_identity(const StartFacts& facts) {
    if (!facts.group) return;
    const GroupInfo& group = *facts.group;
    const auto differs = [&](const std::string& what, const std::string& theirs, const std::string& ours) {
        throw stop_error(
            fmt::format("unable to continue with group '{}': its stream belongs to {} {}, but the source is {}",
                        facts.names.group, what, theirs, ours),
            "Connect to the source the group began with. " + start_over_hint(facts));
    };
    if (group.system_identifier != facts.source.system_identifier) {
        differs("cluster (system_identifier)", group.system_identifier, facts.source.system_identifier);
    }
    if (group.dbname != facts.source.dbname) differs("database", group.dbname, facts.source.dbname);
    check_timeline(facts);
}

[[noreturn]] void stream_lost(const StartFacts& facts, const std::string& found) {
    throw stop_error(fmt::format("unable to continue with group '{}': {}", facts.names.group, found),
                     "The broker lost what it had stored. " + start_over_hint(facts));
}

[[noreturn]] void slot_left_behind(const StartFacts& facts) {
    throw stop_error(fmt::format("unable to continue with group '{}': the server that was promoted has no slot '{}', "
                                 "and the changes that were not read yet are gone",
                                 facts.names.group, facts.names.slot),
                     start_over_hint(facts) +
                         " From PostgreSQL 17 on, sync_replication_slots = on keeps a copy of the slot on a standby.");
}

void check_resume(const StartFacts& facts) {
    const auto fail = [&](const std::string& reason, const std::string& first = "") {
        throw stop_error(fmt::format("unable to continue with group '{}': {}", facts.names.group, reason),
                         first + start_over_hint(facts));
    };
    const std::string& slot = facts.names.slot;
    const MessageMeta& last = facts.last->meta;
    if (!facts.slot) {
        if (was_promoted(facts)) slot_left_behind(facts);
        fail(last.kind == MessageKind::snapshot_end && !last.added
                 ? fmt::format("its snapshot is complete, but there is no slot '{}' that kept the changes since then",
                               slot)
                 : fmt::format("slot '{}' is gone, and with it the changes that were not read yet", slot));
    }
    if (facts.slot->invalidated && facts.slot->was_idle) {
        fail(fmt::format("the source invalidated slot '{}': it was not read for longer than "
                         "idle_replication_slot_timeout",
                         slot),
             "Run ALTER SYSTEM SET idle_replication_slot_timeout = 0 on the source, then SELECT pg_reload_conf(): a "
             "copy, too, takes its time. ");
    }
    if (facts.slot->invalidated) {
        fail(fmt::format("the source invalidated slot '{}': WAL that was not read yet is gone", slot));
    }
    if (!facts.publication_exists) fail(fmt::format("publication '{}' is gone", facts.names.publication));
    if (facts.slot->confirmed > last.safe_flush_lsn) {
        fail(fmt::format(
            "slot '{}' is confirmed to {}, but stream '{}' ends at {}: the broker lost messages, or the slot "
            "was re-created or advanced",
            slot, to_string(facts.slot->confirmed), facts.names.stream, to_string(last.safe_flush_lsn)));
    }
    const Lsn reached = std::max(last.position.commit, last.safe_flush_lsn);
    if (reached > facts.wal_end && facts.in_recovery) {  // it has restarted, and replays some of its WAL again
        throw retry_error(fmt::format("unable to continue with group '{}': its stream is at {}, and the source, a "
                                      "standby, has replayed its WAL up to {}",
                                      facts.names.group, to_string(reached), to_string(facts.wal_end)),
                          "If that does not pass: " + start_over_hint(facts));
    }
    if (reached > facts.wal_end) {
        fail(fmt::format("its stream is at {}, but the source's WAL ends at {}: the source was set back",
                         to_string(reached), to_string(facts.wal_end)));
    }
}

StartDecision with_new_slot(const StartFacts& facts, bool write_group) {
    const bool copies = facts.mode != ReplicatorMode::stream;
    return {facts.slot.has_value(), write_group, copies ? Then::copy : Then::new_slot};
}

StartDecision after_unfinished_snapshot(const StartFacts& facts) {
    if (facts.mode == ReplicatorMode::stream) {
        throw stop_error(fmt::format("unable to stream group '{}': its snapshot is unfinished", facts.names.group),
                         "Start it with --copy-and-stream (or --copy), which takes the snapshot again.");
    }
    return with_new_slot(facts, false);
}

StartDecision after_changes(const StartFacts& facts) {
    const MessageMeta& last = facts.last->meta;
    const bool copy_complete = last.kind == MessageKind::snapshot_end && !last.added;
    if (facts.mode == ReplicatorMode::copy) {
        if (copy_complete) return {false, false, Then::finished};
        throw stop_error(fmt::format("unable to copy group '{}': it is streaming already", facts.names.group),
                         "Use another --group, or add --resnapshot to start this one over.");
    }
    check_resume(facts);
    return {false, false, Then::resume};
}

// Messages that only other programs wrote, of which none was removed, are as good as none.
bool was_written_to(const StartFacts& facts) {
    if (!facts.stream || facts.stream->last_seq.value == 0) return false;
    return facts.last || facts.stream->first_seq.value != 1 || facts.stream->messages != facts.stream->last_seq.value;
}

}  // namespace

bool has_holes(const StreamState& stream) {
    return stream.messages != 0 && stream.messages != stream.last_seq.value - stream.first_seq.value + 1;
}

void find_stream_facts(StartFacts& facts, Broker& broker) {
    const std::string& stream = facts.names.stream;
    facts.stream = broker.stream_state(stream);
    facts.holes_are_foreign = facts.stream && has_holes(*facts.stream) && broker.holes_are_foreign(stream);
    facts.last = facts.stream ? broker.last_message(stream) : std::nullopt;
    facts.group = find_group_info(broker, facts.names, facts.stream);
}

StartDecision decide_replicator_start(const StartFacts& facts) {
    check_slot(facts);
    check_holes(facts);
    if (facts.resnapshot) return with_new_slot(facts, true);
    check_identity(facts);
    const std::string& stream = facts.names.stream;
    if (!was_written_to(facts)) {
        if (facts.slot)
            stream_lost(facts, fmt::format("slot '{}' exists, but stream '{}' does not", facts.names.slot, stream));
        return with_new_slot(facts, true);
    }
    if (!facts.last) stream_lost(facts, fmt::format("stream '{}' was emptied", stream));
    if (facts.last->meta.added) return after_changes(facts);
    switch (facts.last->meta.kind) {
        case MessageKind::group:
            return with_new_slot(facts, false);
        case MessageKind::snapshot_begin:
        case MessageKind::copy:
            return after_unfinished_snapshot(facts);
        case MessageKind::snapshot_end:
        case MessageKind::changes:
        case MessageKind::progress:
            return after_changes(facts);
    }
    throw std::logic_error("a message of no known kind");
}

bool depends_on_the_end(const StartFacts& facts) {
    if (!facts.slot || facts.resnapshot) return false;
    try {
        return decide_replicator_start(facts).drop_slot;
    } catch (const Error& error) {
        return error.action() == Action::stop;
    }
}

}  // namespace pgsluice
