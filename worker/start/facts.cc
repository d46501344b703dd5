#include "worker/start/facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "sql/error.h"
#include "stream/base/pause.h"
#include "stream/early_end.h"
#include "stream/group/snapshot_start.h"
#include "stream/recovery_hint.h"

namespace pgsluice {

namespace {

// How often a worker looks for its stream: often at first, for then the replicator is just starting.
constexpr auto first_stream_poll = std::chrono::milliseconds(20);
constexpr auto longest_stream_poll = std::chrono::milliseconds(500);

// The KV key may be of a stream that was re-created since.
bool holds_snapshot(Broker& broker, const Names& names, const StreamState& state, const SnapshotStart& copy,
                    const std::stop_token& stop) {
    if (copy.seq < state.first_seq || copy.seq > state.last_seq) return false;
    try {
        const auto begin = read_snapshot_begin(broker, names, copy.seq, stop);
        return begin && begin->epoch == copy.epoch && begin->consistent_point == copy.consistent_point;
    } catch (const Error& error) {
        const auto now = broker.stream_state(names.stream);
        const bool trimmed = now && now->first_seq > copy.seq;
        if (error.action() != Action::stop || !trimmed) throw;
        return false;
    }
}

// A replicated stream that ends before what the sink has may be one whose new leader has not applied all yet.
StreamState settled(const WorkerOptions& options, Broker& broker, const std::optional<SinkState>& sink,
                    StreamState state, const Log& log, const std::stop_token& stop) {
    const auto next = sink ? sink->checkpoint.resume_seq.value : 0;
    EarlyEnd early;
    bool said = false;
    while (state.last_seq.value + 1 < next &&
           early.may_pass(state.replicas, !state.copies_away.empty(), std::chrono::steady_clock::now())) {
        if (!state.copies_away.empty() && !std::exchange(said, true))
            log(LogLevel::warning,
                fmt::format("stream '{}' ends with message {}, before {}, which this worker has applied; a copy of it "
                            "is offline or behind, on: {}. Waiting for that one",
                            options.names.stream, state.last_seq.value, next - 1, state.copies_away));
        if (!pause(stop, longest_stream_poll)) throw Interrupted{};
        state = broker.stream_state(options.names.stream).value_or(state);
    }
    return state;
}

WorkerFacts facts_now(const WorkerOptions& options, Broker& broker, const StreamState& stream,
                      const std::optional<SinkState>& sink, bool state_only, bool other_stream, const Log& log,
                      const std::stop_token& stop) {
    StreamState state = settled(options, broker, sink, stream, log, stop);
    state.first_seq = broker.begin_of(options.names.stream, state);
    WorkerFacts facts;
    facts.state_only = state_only;
    facts.other_stream = other_stream;
    facts.stream = options.names.stream;
    facts.worker = options.worker;
    facts.sink = sink;
    facts.state = state;
    facts.announced_epoch = find_announced_epoch(broker, options.names);
    if (facts.sink && facts.sink->checkpoint.resume_seq.value > 1) {
        const StreamSeq before{facts.sink->checkpoint.resume_seq.value - 1};
        if (const auto message = broker.message_at_or_before(facts.stream, before))
            facts.before = message->meta.position;
    }
    if (const auto& loading = facts.sink;
        loading && loading->loading_epoch != 0 && loading->begin_seq <= state.last_seq) {
        const SnapshotStart copy{loading->loading_epoch, loading->begin_seq, loading->checkpoint.position.commit};
        facts.other_snapshot = !holds_snapshot(broker, options.names, state, copy, stop);
    }
    // A worker that can continue as it is does not need the snapshot, so a fault of the snapshot must not stop it.
    const bool needed = needs_snapshot(facts) || may_start_with_newest(facts);
    if (needed || options.exit_after_snapshot) facts.snapshot = find_snapshot_start(broker, options.names);
    if (needed) find_snapshot(facts, broker, options.names, stop);
    return facts;
}

}  // namespace

StreamState wait_for_stream(Broker& broker, const Names& names, const Log& log, const std::stop_token& stop) {
    bool told = false;
    auto poll = first_stream_poll;
    while (true) {
        const auto state = broker.stream_state(names.stream);
        if (state && state->created_ns != 0) return *state;  // 0: nats-server is still making it
        if (!told && !state)
            log(LogLevel::info, fmt::format("waiting for stream '{}': no replicator of group '{}' has created it yet",
                                            names.stream, names.group));
        told = told || !state;
        if (!pause(stop, poll)) throw Interrupted{};
        poll = std::min(poll * 5 / 4, longest_stream_poll);
    }
}

WorkerFacts gather_facts(const WorkerOptions& options, Broker& broker, StreamState stream,
                         const std::optional<SinkState>& sink, bool state_only, bool other_stream, const Log& log,
                         const std::stop_token& stop) {
    bool told = false;
    while (true) {
        WorkerFacts facts = facts_now(options, broker, stream, sink, state_only, other_stream, log, stop);
        if (!awaits_snapshot(facts)) return facts;
        if (!told)
            log(LogLevel::info,
                fmt::format("worker '{}' cannot continue; waiting for the snapshot of epoch {}, which the replicator "
                            "has announced. {} if it has ended.",
                            options.worker, facts.announced_epoch, resnapshot_hint));
        told = true;
        if (!pause(stop, longest_stream_poll)) throw Interrupted{};
        stream = broker.stream_state(options.names.stream).value_or(stream);
    }
}

void find_snapshot(WorkerFacts& facts, Broker& broker, const Names& names, const std::stop_token& stop) {
    if (!facts.snapshot) facts.snapshot = find_snapshot_start(broker, names);
    if (!facts.snapshot) return;
    // The marker was stored before its key was written, perhaps after the stream's state was read.
    facts.state = broker.stream_state(facts.stream).value_or(facts.state);
    facts.state.first_seq = broker.begin_of(facts.stream, facts.state);
    facts.snapshot_held = holds_snapshot(broker, names, facts.state, *facts.snapshot, stop);
}

}  // namespace pgsluice
