#include "worker/start.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/error.h"
#include "stream/recovery_hint.h"

namespace pgsluice {

namespace {

std::string start_over() {
    return std::string(resnapshot_then_start_worker_hint) +
           ": it begins with the new copy (see --target-existing-rows). A longer --stream-retain lets workers join "
           "later.";
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
                    "messages it had "
                    "not applied were removed",
                    facts.worker, facts.sink->checkpoint.resume_seq.value, facts.stream, facts.state.first_seq.value),
        start_over());
}

Error lost_copy(const WorkerFacts& facts) {
    return stop_error(
        fmt::format("unable to continue worker '{}': the copy of epoch {} that it is loading does not begin at message "
                    "{} of stream '{}': the stream was restored to an earlier state",
                    facts.worker, facts.sink->loading_epoch, facts.sink->begin_seq.value, facts.stream),
        start_over());
}

Error other_stream(const WorkerFacts& facts) {
    return stop_error(
        fmt::format(
            "unable to continue worker '{}': it has applied up to {} but message {} of stream '{}' is already at "
            "{}: this is not the stream it was fed from",
            facts.worker, to_string(facts.sink->checkpoint.position), facts.sink->checkpoint.resume_seq.value - 1,
            facts.stream, to_string(*facts.before)),
        "Point the worker at its own group and NATS server. Or: " + start_over());
}

Error re_created(const WorkerFacts& facts) {
    return stop_error(fmt::format("unable to continue worker '{}': stream '{}' was made anew since it read {}, so the "
                                  "group was removed, or this is another one of its name",
                                  facts.worker, facts.stream, to_string(facts.sink->checkpoint.position)),
                      std::string("Point the worker at its own group and NATS server, or remove what it remembers "
                                  "(pgsluice teardown with --target-url; a file worker's directory). Or: ") +
                          start_over());
}

// What is missing does not matter when a whole copy comes behind it.
WorkerStart at_copy(const WorkerFacts& facts, const Error& otherwise) {
    if (!facts.copy || !facts.copy_held) throw otherwise;
    // Told of the same copy again, a sink keeps what it has loaded.
    if (facts.sink && is_within(*facts.sink, facts.copy->epoch, facts.copy->consistent_point)) throw otherwise;
    return {{facts.copy->seq, {}}, true};
}

WorkerStart at_later_copy(const WorkerFacts& facts, const Error& otherwise) {
    const bool later =
        facts.copy && facts.copy->epoch > 1 && facts.copy->consistent_point > facts.sink->checkpoint.position.commit;
    if (!later) throw otherwise;
    return at_copy(facts, otherwise);
}

}  // namespace

WorkerStart decide_worker_start(const WorkerFacts& facts) {
    const StreamSeq first = facts.state.first_seq;
    if (!facts.sink) {
        if (first.value > 1) return at_copy(facts, missed(facts));
        return {{StreamSeq{1}, {}}, false};
    }
    if (facts.other_stream) {
        if (facts.copy && facts.copy->epoch > 1) return at_copy(facts, re_created(facts));
        throw re_created(facts);
    }
    const StreamSeq resume = facts.sink->checkpoint.resume_seq;
    if (facts.state.last_seq.value + 1 < resume.value) return at_later_copy(facts, went_back(facts));
    const bool marker_removed = facts.sink->loading_epoch != 0 && first > facts.sink->begin_seq;
    if (first > resume || marker_removed) return at_copy(facts, removed(facts));
    if (facts.other_copy) return at_copy(facts, lost_copy(facts));
    if (facts.before && *facts.before > facts.sink->checkpoint.position)
        return at_later_copy(facts, other_stream(facts));
    return {facts.sink->checkpoint, false};
}

std::uint64_t newest_epoch(const WorkerFacts& facts) {
    return std::max(facts.announced_epoch, facts.copy ? facts.copy->epoch : 0);
}

bool needs_copy(WorkerFacts facts) {
    facts.copy.reset();
    try {
        static_cast<void>(decide_worker_start(facts));
        return false;
    } catch (const Error&) {
        return true;
    }
}

bool has_newest_copy(const WorkerFacts& facts) {
    return facts.sink && facts.sink->loading_epoch == 0 && facts.copy && facts.copy->epoch == newest_epoch(facts) &&
           facts.sink->checkpoint.resume_seq > facts.copy->seq;
}

}  // namespace pgsluice
