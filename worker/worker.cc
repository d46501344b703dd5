#include "worker/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "stream/group/info.h"
#include "stream/group/registry.h"
#include "stream/group/schema_history.h"
#include "stream/group/snapshot_start.h"
#include "stream/group/tables.h"
#include "stream/pause.h"
#include "stream/recovery_hint.h"
#include "worker/session.h"
#include "worker/start.h"

namespace pgsluice {

namespace {

// How often a worker looks for its stream: often at first, for then the replicator is just starting.
constexpr auto first_stream_poll = std::chrono::milliseconds(20);
constexpr auto longest_stream_poll = std::chrono::milliseconds(500);

// A worker may be started before its replicator.
StreamState wait_for_stream(Broker& broker, const Names& names, const Log& log, const std::stop_token& stop) {
    bool told = false;
    auto poll = first_stream_poll;
    while (true) {
        if (const auto state = broker.stream_state(names.stream)) return *state;
        if (!told)
            log(LogLevel::info, fmt::format("waiting for stream '{}': no replicator of group '{}' has created it yet",
                                            names.stream, names.group));
        told = true;
        if (!pause(stop, poll)) throw Interrupted{};
        poll = std::min(poll * 5 / 4, longest_stream_poll);
    }
}

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

WorkerFacts facts_of(const WorkerOptions& options, Broker& broker, std::optional<SinkState> sink, bool other_stream,
                     const StreamState& state, const std::stop_token& stop) {
    WorkerFacts facts;
    facts.other_stream = other_stream;
    facts.stream = options.names.stream;
    facts.worker = options.worker;
    facts.sink = std::move(sink);
    facts.state = state;
    facts.announced_epoch = find_announced_epoch(broker, options.names);
    if (facts.sink && facts.sink->checkpoint.resume_seq.value > 1) {
        const StreamSeq before{facts.sink->checkpoint.resume_seq.value - 1};
        if (const auto message = broker.message_at(facts.stream, before)) facts.before = message->meta.position;
    }
    if (const auto& loading = facts.sink;
        loading && loading->loading_epoch != 0 && loading->begin_seq <= state.last_seq) {
        const SnapshotStart copy{loading->loading_epoch, loading->begin_seq, loading->checkpoint.position.commit};
        facts.other_snapshot = !holds_snapshot(broker, options.names, state, copy, stop);
    }
    // A worker that can continue as it is does not need the snapshot, so a fault of the snapshot must not stop it.
    const bool needed = needs_snapshot(facts);
    if (needed || options.exit_after_snapshot) facts.snapshot = find_snapshot_start(broker, options.names);
    if (needed && facts.snapshot)
        facts.snapshot_held = holds_snapshot(broker, options.names, state, *facts.snapshot, stop);
    return facts;
}

// A replicated stream that ends before what the sink has may be one whose new leader has not applied all yet.
StreamState settled(const WorkerOptions& options, Broker& broker, const std::optional<SinkState>& sink,
                    StreamState state, const std::stop_token& stop) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(settle_ms);
    const auto next = sink ? sink->checkpoint.resume_seq.value : 0;
    while (state.replicas > 1 && state.last_seq.value + 1 < next && std::chrono::steady_clock::now() < deadline) {
        if (!pause(stop, longest_stream_poll)) throw Interrupted{};
        state = broker.stream_state(options.names.stream).value_or(state);
    }
    return state;
}

// The newest begin marker of the snapshot that the sink is loading. The registry may name a later one than the sink
// wrote down, and then the stream may have been trimmed up to that.
StreamSeq begin_marker(WorkerRegistry& registry, const WorkerOptions& options, const SinkState& state) {
    const auto entry = registry.find(options.worker);
    const bool same = entry && entry->loading_epoch == state.loading_epoch;
    return same ? std::max(state.begin_seq, entry->begin_seq) : state.begin_seq;
}

// The sink stopped inside a snapshot: the begin marker says what the rows mean.
void restore_snapshot(Session& session, Broker& broker, const Names& names, const SinkState& state,
                      const std::stop_token& stop) {
    auto begin = read_snapshot_begin(broker, names, state.begin_seq, stop);
    if (!begin)
        throw stop_error(
            fmt::format("unable to continue the snapshot: its begin marker, message {} of stream '{}', is gone",
                        state.begin_seq.value, names.stream),
            start_group_anew_hint);
    session.restore_snapshot(std::move(*begin), state.begin_seq);
}

WorkerEntry entry_of(const WorkerOptions& options, const SinkState& durable, const Checkpoint& applied) {
    WorkerEntry entry;
    entry.name = options.worker;
    entry.sink = options.sink;
    entry.applied = applied;
    entry.durable = durable.checkpoint;
    entry.loading_epoch = durable.loading_epoch;
    entry.begin_seq = durable.begin_seq;
    return entry;
}

// Written before the stream's first message; not there in streams of older replicators.
std::optional<GroupTables> await_tables(Broker& broker, const Names& names, const StreamState& stream,
                                        const std::stop_token& stop) {
    constexpr int polls = 100;
    for (int i = 0;; ++i) {
        auto tables = find_tables(broker, names);
        if (tables || stream.last_seq.value > 0 || i == polls) return tables;
        if (!pause(stop, first_stream_poll)) throw Interrupted{};
    }
}

std::vector<RelationPtr> shared(const std::vector<Relation>& tables) {
    std::vector<RelationPtr> made;
    for (const Relation& table : tables) made.push_back(std::make_shared<const Relation>(table));
    return made;
}

// Checks the files against what is replicated, before anything is read. A worker that continues may have to read rows
// from before a table was altered, under the rules of that time.
void check_tables(Ruleset& ruleset, const GroupTables& tables, bool continues, const Log& log) {
    ruleset.know_former(shared(tables.former));
    for (const Error& problem : ruleset.know(shared(tables.now))) {
        if (!continues)
            throw usage_error(problem.what(), fmt::format("{}{}If the table was changed since the replicator was "
                                                          "started, restart the replicator first.",
                                                          problem.hint(), problem.hint().empty() ? "" : " "));
        log(LogLevel::warning, fmt::format("this will stop the worker at the table's next row: {}", problem.what()));
    }
    for (const auto& warning : unmatched_tables(ruleset.tables(), tables.now)) log(LogLevel::warning, warning);
}

// Whether the entry only repeats this sink's own state, which the sink's own lock protects.
bool is_of(const WorkerEntry& entry, const Sink& sink, const std::optional<SinkState>& state) {
    return sink.keeps_state() && state && entry.durable.resume_seq <= state->checkpoint.resume_seq;
}

// One name, one worker: two would split the data between them, or the stream would be trimmed under one of them. A
// worker that was killed no longer reports. Waiting for that takes a moment, so it is done only if it may be another.
void take_name(WorkerRegistry& registry, const WorkerOptions& options, const Sink& sink,
               const std::optional<SinkState>& state, const Log& log, const std::stop_token& stop) {
    const auto entry = registry.find(options.worker);
    if (!entry) return;
    if (entry->sink != options.sink)
        throw stop_error(fmt::format("unable to start worker '{}': the group has a {} worker of this name",
                                     options.worker, entry->sink),
                         "Give this one its own --worker-name, or remove the other with pgsluice forget.");
    const auto interval = std::chrono::milliseconds(options.registry_interval_ms);
    const auto silence = std::chrono::microseconds(registry.now_us() - entry->reported_us);
    if (entry->session.empty() || silence > 10 * interval || is_of(*entry, sink, state)) return;
    log(LogLevel::info,
        fmt::format("worker '{}' was active recently; checking whether it is still running", options.worker));
    for (int i = 0; i < 15; ++i) {
        if (!pause(stop, interval / 5)) throw Interrupted{};
        const auto now = registry.find(options.worker);
        if (!now || now->session.empty()) return;
        if (now->reported_us != entry->reported_us)
            throw retry_error(
                fmt::format("unable to start worker '{}': another worker of this name is running", options.worker),
                "Give each worker of a group its own --worker-name.");
    }
}

// The sink ends first: until then its output may still be in flight, and no other worker may take the name.
struct Leaving {
    WorkerRegistry& registry;
    const std::string& worker;
    std::unique_ptr<Sink>& sink;
    ~Leaving() {
        sink.reset();
        registry.leave(worker);
    }
};

// The registry's state of a sink that keeps none itself.
std::optional<SinkState> recall(WorkerRegistry& registry, const WorkerOptions& options, Sink& sink) {
    const auto entry = registry.find(options.worker);
    if (!entry || entry->durable.resume_seq.value == 0) return std::nullopt;
    const SinkState state{entry->durable, entry->loading_epoch, entry->begin_seq};
    sink.resume(state);
    return state;
}

}  // namespace

void run_worker(const WorkerOptions& options, const SinkFactory& make_sink, const Log& log,
                const std::function<void()>& running, std::stop_token stop) {
    const auto ruleset = Ruleset::load(options.rules);
    auto sink = make_sink(stop);
    auto state = sink->open();
    const auto broker = Broker::connect(options.nats, log, stop);
    const StreamState stream = wait_for_stream(*broker, options.names, log, stop);
    WorkerRegistry registry(*broker, options.names);
    take_name(registry, options, *sink, state, log, stop);
    if (!sink->keeps_state()) state = recall(registry, options, *sink);

    if (const auto source = find_group_info(*broker, options.names, stream)) sink->read_from(*source);

    if (state && state->loading_epoch != 0) state->begin_seq = begin_marker(registry, options, *state);
    const bool same = sink->reads(std::to_string(stream.created_ns));
    const WorkerFacts facts =
        facts_of(options, *broker, state, !same, settled(options, *broker, state, stream, stop), stop);
    const auto [from, over] = decide_worker_start(facts);
    if (over) {
        log(LogLevel::warning,
            fmt::format("worker '{}' starts over with the snapshot of epoch {}: messages it needed are gone",
                        options.worker, facts.snapshot->epoch));
        state.reset();
    }
    // Written before a row of a definition is handed on, so before the sink can remember one of it.
    SchemaHistory seen(*broker, options.names, options.worker);
    ruleset->recall(seen.load(), [&](Oid table, const TableHistory* definitions) { seen.put(table, definitions); });
    ruleset->applied(from.position);
    const auto tables = await_tables(*broker, options.names, stream, stop);
    if (tables)
        check_tables(*ruleset, *tables, state.has_value(), log);
    else if (!ruleset->tables().empty())
        log(LogLevel::warning,
            "the group's KV bucket does not hold the definitions of its tables, so the rules and routing files are "
            "checked only when a table's first row comes");
    // Registered before it subscribes: from here on nothing it needs is trimmed.
    SinkState durable = state.value_or(SinkState{from, 0, {}});
    registry.report(entry_of(options, durable, from));
    const Leaving leaving{registry, options.worker, sink};
    const auto consumer = broker->consumer(options.names, from.resume_seq);
    Session session(options, *ruleset, *sink, *consumer, from, log);
    if (over) session.starts_over();
    if (tables) session.tables_were_checked();
    session.wait_for_snapshot(newest_epoch(facts));
    if (state && state->loading_epoch != 0 && state->begin_seq != from.resume_seq)
        restore_snapshot(session, *broker, options.names, *state, stop);
    if (options.exit_after_snapshot && !over && has_newest_snapshot(facts)) {
        log(LogLevel::info, fmt::format("the snapshot of epoch {} was applied before", facts.snapshot->epoch));
        session.snapshot_was_applied();
    }
    running();
    log(LogLevel::info, fmt::format("worker '{}' reads stream '{}' from message {}, after {}", options.worker,
                                    options.names.stream, from.resume_seq.value, to_string(from.position)));
    session.run(stop, [&](const WorkerReport& report) {
        if (report.durable.checkpoint.resume_seq.value != 0) durable = report.durable;
        registry.report(entry_of(options, durable, report.applied));
        ruleset->applied(durable.checkpoint.position);
    });
}

}  // namespace pgsluice
