#include "worker/start/start.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/error.h"
#include "stream/recovery_hint.h"

namespace pgsluice {

namespace {

std::string start_over() {
    return fmt::format("{} With a longer --stream-retain workers can join later.", resnapshot_then_start_worker_hint);
}

Error missed(const WorkerFacts& facts) {
    return stop_error(
        fmt::format(
            "unable to start worker '{}': stream '{}' begins at sequence {}, the messages before it were trimmed",
            facts.worker, facts.stream, facts.state.first_seq.value),
        start_over());
}

Error went_back(const WorkerFacts& facts) {
    return stop_error(
        fmt::format("unable to continue worker '{}': its next message is {} but stream '{}' ends at {}: the stream was "
                    "re-created, purged or restored to an earlier state",
                    facts.worker, facts.sink->checkpoint.resume_seq.value, facts.stream, facts.state.last_seq.value),
        start_over());
}

Error removed(const WorkerFacts& facts) {
    return stop_error(
        fmt::format("unable to continue worker '{}': it needs message {} and later, but stream '{}' begins at {}: "
                    "messages it had not applied were removed",
                    facts.worker, facts.sink->checkpoint.resume_seq.value, facts.stream, facts.state.first_seq.value),
        start_over());
}

Error lost_snapshot(const WorkerFacts& facts) {
    return stop_error(
        fmt::format(
            "unable to continue worker '{}': the snapshot of epoch {} that it is loading does not begin at message "
            "{} of stream '{}': the stream was restored to an earlier state",
            facts.worker, facts.sink->loading_epoch, facts.sink->begin_seq.value, facts.stream),
        start_over());
}

Error other_stream(const WorkerFacts& facts) {
    return stop_error(
        fmt::format(
            "unable to continue worker '{}': it has applied up to {} but message {} of stream '{}' is already at "
            "{}: this is not the stream it has read from",
            facts.worker, to_string(facts.sink->checkpoint.position), facts.sink->checkpoint.resume_seq.value - 1,
            facts.stream, to_string(*facts.before)),
        "Point the worker at its own group and NATS server. Or: " + start_over());
}

Error re_created(const WorkerFacts& facts) {
    return stop_error(
        fmt::format("unable to continue worker '{}': stream '{}' was re-created after the worker read {}: "
                    "the group was removed, or this is another group of the same name",
                    facts.worker, facts.stream, to_string(facts.sink->checkpoint.position)),
        "Point the worker at its own group and NATS server, a file worker also at an empty directory. Or: " +
            start_over());
}

// What is missing does not matter if a whole snapshot follows.
WorkerStart at_snapshot(const WorkerFacts& facts, const Error& otherwise) {
    if (!facts.snapshot || !facts.snapshot_held) throw otherwise;
    // At the begin marker of the same snapshot a sink keeps what it has loaded.
    if (facts.sink && is_within(*facts.sink, facts.snapshot->epoch, facts.snapshot->consistent_point)) throw otherwise;
    return {{facts.snapshot->seq, {}}, true};
}

WorkerStart at_later_snapshot(const WorkerFacts& facts, const Error& otherwise) {
    const bool later = facts.snapshot && facts.snapshot->epoch > 1 &&
                       facts.snapshot->consistent_point > facts.sink->checkpoint.position.commit;
    if (!later) throw otherwise;
    return at_snapshot(facts, otherwise);
}

}  // namespace

WorkerStart decide_worker_start(const WorkerFacts& facts) {
    if (may_start_with_newest(facts) && facts.snapshot_held && facts.snapshot->epoch > 1)
        return {{facts.snapshot->seq, {}}, true};
    const StreamSeq first = facts.state.first_seq;
    if (!facts.sink) {
        if (first.value > 1) return at_snapshot(facts, missed(facts));
        return {{StreamSeq{1}, {}}, false};
    }
    if (facts.other_stream) {
        if (facts.snapshot && facts.snapshot->epoch > 1) return at_snapshot(facts, re_created(facts));
        throw re_created(facts);
    }
    const StreamSeq resume = facts.sink->checkpoint.resume_seq;
    const bool shorter = facts.state.last_seq.value + 1 < resume.value;
    if (shorter && !facts.other_snapshot) return at_later_snapshot(facts, went_back(facts));
    const bool marker_removed = facts.sink->loading_epoch != 0 && first > facts.sink->begin_seq;
    if (first > resume || marker_removed) return at_snapshot(facts, removed(facts));
    if (facts.other_snapshot) return at_snapshot(facts, lost_snapshot(facts));
    if (facts.before && *facts.before > facts.sink->checkpoint.position)
        return at_later_snapshot(facts, other_stream(facts));
    return {facts.sink->checkpoint, false};
}

bool may_start_with_newest(const WorkerFacts& facts) {
    // A worker that met no snapshot before it ended may have written down the messages before.
    return facts.state_only &&
           (!facts.sink || (facts.sink->loading_epoch == 0 && facts.sink->checkpoint.position == Position{}));
}

std::uint64_t newest_epoch(const WorkerFacts& facts) {
    return std::max(facts.announced_epoch, facts.snapshot ? facts.snapshot->epoch : 0);
}

namespace {

bool can_start(const WorkerFacts& facts) {
    try {
        static_cast<void>(decide_worker_start(facts));
        return true;
    } catch (const Error&) {
        return false;
    }
}

}  // namespace

bool needs_snapshot(WorkerFacts facts) {
    facts.snapshot.reset();
    return !can_start(facts);
}

bool awaits_snapshot(const WorkerFacts& facts) {
    const std::uint64_t begun = facts.snapshot ? facts.snapshot->epoch : 0;
    return facts.announced_epoch > begun && !can_start(facts);
}

bool has_newest_snapshot(const WorkerFacts& facts) {
    return facts.sink && facts.sink->loading_epoch == 0 && facts.snapshot &&
           facts.snapshot->epoch == newest_epoch(facts) && facts.sink->checkpoint.resume_seq > facts.snapshot->seq;
}

}  // namespace pgsluice
