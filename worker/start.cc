#include "worker/start.h"

#include <fmt/format.h>

#include "sql/error.h"

namespace pgsluice {

namespace {

Error missed(const WorkerFacts& facts) {
    return stop_error(
        fmt::format(
            "unable to start worker '{}': stream '{}' begins at sequence {}, the messages before it were trimmed",
            facts.worker, facts.stream, facts.state.first_seq.value),
        "start the group over (pgsluice teardown, then replicator --copy-and-stream), with a longer --stream-retain "
        "when "
        "workers join later");
}

Error went_back(const WorkerFacts& facts) {
    return stop_error(
        fmt::format("unable to continue worker '{}': its next message is {} but stream '{}' ends at {}: the stream was "
                    "re-created, purged or restored to an earlier state",
                    facts.worker, facts.sink->checkpoint.resume_seq.value, facts.stream, facts.state.last_seq.value),
        "start over: pgsluice teardown for the group, then a new snapshot");
}

Error removed(const WorkerFacts& facts) {
    return stop_error(
        fmt::format("unable to continue worker '{}': it needs message {} but stream '{}' begins at {}: messages it had "
                    "not applied were removed",
                    facts.worker, facts.sink->checkpoint.resume_seq.value, facts.stream, facts.state.first_seq.value),
        "start over: pgsluice teardown for the group, then replicator --copy-and-stream");
}

Error other_stream(const WorkerFacts& facts) {
    return stop_error(
        fmt::format(
            "unable to continue worker '{}': it has applied up to {} but message {} of stream '{}' is already at "
            "{}: this is not the stream it was fed from",
            facts.worker, to_string(facts.sink->checkpoint.position), facts.sink->checkpoint.resume_seq.value - 1,
            facts.stream, to_string(*facts.before)),
        "point the worker at its own group and NATS server, or start over with pgsluice teardown");
}

}  // namespace

Checkpoint decide_start(const WorkerFacts& facts) {
    const StreamSeq first = facts.state.first_seq;
    if (!facts.sink) {
        if (first.value > 1) throw missed(facts);
        return {StreamSeq{1}, {}};
    }
    const StreamSeq resume = facts.sink->checkpoint.resume_seq;
    if (facts.state.last_seq.value + 1 < resume.value) throw went_back(facts);
    if (first > resume) throw removed(facts);
    if (facts.before && *facts.before > facts.sink->checkpoint.position) throw other_stream(facts);
    return facts.sink->checkpoint;
}

}  // namespace pgsluice
