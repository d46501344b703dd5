#include "worker/worker.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <utility>

#include "sinks/definition_rules.h"
#include "stream/base/arena.h"
#include "stream/definition/definition_message.h"
#include "stream/format/ddl_message.h"
#include "stream/group/format_check.h"
#include "stream/group/info.h"
#include "stream/group/schema_history.h"
#include "stream/group/snapshot_start.h"
#include "stream/recovery_hint.h"
#include "worker/ddl_gate.h"
#include "worker/direct_snapshot.h"
#include "worker/hold_requests.h"
#include "worker/rules/computed_types.h"
#include "worker/rules/delivered_check.h"
#include "worker/session.h"
#include "worker/source_rules.h"
#include "worker/start/bootstrap.h"
#include "worker/start/facts.h"
#include "worker/start/registration.h"
#include "worker/start/start.h"
#include "worker/table_check.h"

namespace pgsluice {

namespace {

// The snapshot that the sink is loading; the begin marker says what its rows mean.
SessionStart::Loading read_loading(Broker& broker, const Names& names, const SinkState& state,
                                   const std::stop_token& stop) {
    auto begin = read_snapshot_begin(broker, names, state.begin_seq, stop);
    if (!begin)
        throw stop_error(
            fmt::format("unable to continue the snapshot: its begin marker, message {} of stream '{}', is gone",
                        state.begin_seq.value, names.stream),
            recreate_group_hint);
    return {std::move(*begin), state.begin_seq};
}

SessionStart start_of(const WorkerOptions& options, const WorkerFacts& facts, Broker& broker, const Log& log,
                      const std::stop_token& stop) {
    const auto [from, over] = decide_worker_start(facts);
    SessionStart start;
    start.from = from;
    start.over = over;
    start.awaited_epoch = newest_epoch(facts);
    if (over && may_start_with_newest(facts)) {
        log(LogLevel::info, fmt::format("worker '{}' is new and starts with the newest snapshot, that of epoch {}",
                                        options.worker, facts.snapshot->epoch));
        return start;
    }
    if (over) {
        log(LogLevel::warning,
            fmt::format("worker '{}' starts over with the snapshot of epoch {}: messages it needed are gone",
                        options.worker, facts.snapshot->epoch));
        return start;
    }
    if (facts.sink && facts.sink->loading_epoch != 0 && facts.sink->begin_seq != from.resume_seq) {
        if (is_direct_snapshot(broker, options.names, facts.sink->begin_seq, stop))
            start.from.resume_seq = facts.sink->begin_seq;  // there its rows are found
        else
            start.loading = read_loading(broker, options.names, *facts.sink, stop);
    }
    start.snapshot_applied = options.exit_after_snapshot && has_newest_snapshot(facts);
    if (start.snapshot_applied)
        log(LogLevel::info, fmt::format("the snapshot of epoch {} was applied before", facts.snapshot->epoch));
    return start;
}

// The last message that is to be read. What others published after it is not delivered.
std::optional<StreamSeq> end_to_drain(Broker& broker, const Names& names, const Log& log, const std::stop_token& over) {
    try {
        const auto state = broker.stream_state(names.stream);
        if (!state) return std::nullopt;
        for (StreamSeq seq = state->last_seq; seq >= state->first_seq && !over.stop_requested(); --seq.value)
            if (broker.message_at(names.stream, seq)) return seq;
    } catch (const Error& error) {
        log(LogLevel::warning,
            fmt::format("shutting down without applying what else the stream holds: {}", error.what()));
    }
    return std::nullopt;
}

// The sink ends first: until then its output may still be in flight, and no other worker may take the name.
struct Leaving {
    Registration& registration;
    std::unique_ptr<Sink>& sink;
    ~Leaving() {
        sink.reset();
        registration.leave();
    }
};

// Null where shares are not by table.
std::shared_ptr<SharedTargets> targets_of(const Share& share, const Ruleset& ruleset,
                                          const std::vector<RelationPtr>& tables) {
    if (share.by != ShareBy::table) return nullptr;
    auto targets =
        std::make_shared<SharedTargets>(share, [&](const Relation& table) { return ruleset.routed_to(table); });
    for (const RelationPtr& table : tables) targets->add(*table);
    return targets;
}

// What a sink makes of its own accord is as captured DDL would make it.
void give_rules(const Ruleset& ruleset, Sink& sink) {
    auto* makes_tables = dynamic_cast<MakesTables*>(&sink);
    if (makes_tables == nullptr) return;
    makes_tables->rule_definitions([&ruleset](DefinitionMessage& message) {
        const std::string content = encode(message);
        Arena arena;
        Change change;
        change.op = Op::message;
        change.prefix = ddl_message_prefix;
        change.content = content;
        if (!ruleset.apply_ddl(change, arena)) return false;
        message = decode_definitions(change.content);
        return true;
    });
}

// A start with these rules has done all that it has to do with them.
void take_over(RulesInForce& rules, const RulesInForce::Files& files, const SessionStart& start, const Log& log) {
    if (rules.in_force(files)) return;
    rules.put_in_force(files);
    log(LogLevel::info, fmt::format("the rules that were read again are in force, for all that comes after {}",
                                    to_string(start.from.position)));
}

void refuse_rules(RulesInForce& rules, const RulesInForce::Files& files, const Error& error, const Log& log) {
    rules.refuse(files);
    log(LogLevel::error,
        fmt::format("unable to apply the new rules while the worker runs; the previous ones stay in force. Restarted "
                    "with these files, the worker would say: {}",
                    in_one_line(error)));
}

// What cannot be read may be of a later version: then `check_format` throws, and says that.
Session::End run_known(Session& session, const std::stop_token& stop, Broker& broker, const Names& names) {
    try {
        return session.run(stop);
    } catch (const Error& error) {
        if (error.action() == Action::stop) check_format(broker, names);
        throw;
    }
}

// Both ends, and what each of them remembers.
struct Ends {
    std::unique_ptr<Sink> sink;
    std::optional<SinkState> state;
    std::unique_ptr<Broker> broker;
    StreamState stream;
    std::optional<BootstrapRecord> bootstrap;
    std::vector<DeliveredPart> delivered{};  // of the worker's share
};

Ends open_ends(const WorkerOptions& options, const SinkFactory& make_sink, const Log& log,
               const std::stop_token& stop) {
    auto sink = make_sink(stop);
    auto state = sink->open();
    auto broker = Broker::connect(options.nats, log, stop);
    const StreamState stream = wait_for_stream(*broker, options.names, log, stop);
    broker->check_sealed(options.names);
    check_format(*broker, options.names);
    auto bootstrap = find_bootstrap(*broker, options.names);
    return {std::move(sink), state, std::move(broker), stream, std::move(bootstrap)};
}

// Takes the worker's name, enters its share, and looks what both ends hold.
WorkerFacts facts_of(const WorkerOptions& options, Registration& registration, Ends& ends, const Log& log,
                     const std::stop_token& stop) {
    Sink& sink = *ends.sink;
    auto& state = ends.state;
    registration.take_name(sink, state, log, stop);
    ends.delivered = registration.enter_share(*ends.broker, sink, log, stop);
    state = sink.keeps_state() ? registration.begin(sink, state) : registration.recall(sink);
    if (state && state->loading_epoch != 0) state->begin_seq = registration.begin_marker(*state);
    const bool other_stream = !sink.reads(std::to_string(ends.stream.created_ns));
    const auto held = other_stream ? state : with_dump(state, ends.bootstrap, options);
    WorkerFacts facts =
        gather_facts(options, *ends.broker, ends.stream, held, sink.takes_copy(), other_stream, log, stop);
    for (const DeliveredPart& part : ends.delivered)
        facts.delivered_before = std::max(facts.delivered_before, part.from);
    return facts;
}

// Whether the rules fit the tables, the other rules of the group and the sink. Returns the tables, where they are
// known.
std::optional<std::vector<RelationPtr>> check_rules(const WorkerOptions& options, Ruleset& ruleset,
                                                    const RulesInForce::Files& files, const Ends& ends, bool known,
                                                    const Log& log, const std::stop_token& stop) {
    auto tables = check_tables(ruleset, *ends.broker, options.names, ends.stream, known, log, stop);
    meet_source_rules(options, *files, *ends.broker, log, stop);
    if (!tables) return tables;
    check_computed_types(ruleset, *tables, *ends.sink, known, log);
    return tables;
}

void say_start(const WorkerOptions& options, const Checkpoint& from, const Log& log) {
    log(LogLevel::info, fmt::format("worker '{}' reads stream '{}' from message {}, after {}", options.worker,
                                    options.names.stream, from.resume_seq.value, to_string(from.position)));
}

SessionControl control_of(const WorkerOptions& options, Broker& broker, RulesInForce& rules, const Log& log,
                          const std::stop_token& over) {
    SessionControl control;
    control.last_message = [&options, &broker, &log, over] { return end_to_drain(broker, options.names, log, over); };
    control.over = over;
    control.asked_to_give_way = [&rules] { return rules.waiting(); };
    return control;
}

// Whether another is to follow: it gave way to other rules, or has waited for the target's dump.
bool run_session(const WorkerOptions& options, RulesInForce& rules, const RulesInForce::Files& files,
                 const SinkFactory& make_sink, const Log& log, const std::function<void()>& running, Drain& drain) {
    const std::stop_token stop = drain.over();
    const auto ruleset = std::make_unique<Ruleset>(files->rules, files->routes);
    Ends ends = open_ends(options, make_sink, log, stop);
    auto& sink = ends.sink;
    auto& state = ends.state;
    Broker& broker = *ends.broker;
    if (is_under_way(ends.bootstrap)) {
        sink.reset();  // whoever restores the dump may want to replace all of the target
        await_bootstrap(options, broker, log, stop);
        return true;
    }
    Registration registration(broker, options);
    const WorkerFacts facts = facts_of(options, registration, ends, log, stop);

    SessionStart start = start_of(options, facts, broker, log, stop);
    // Written before a row of a definition is handed on, so before the sink can remember one of it.
    SchemaHistory seen(broker, options.names, options.worker);
    ruleset->recall(seen.load(), [&](Oid table, const TableHistory* definitions) { seen.put(table, definitions); });
    const bool known = state.has_value() && !start.over && rules.in_force(files);
    const auto tables = check_rules(options, *ruleset, files, ends, known, log, stop);
    start.tables_checked = tables.has_value();
    start.targets = targets_of(options.share, *ruleset, tables.value_or(std::vector<RelationPtr>{}));
    if (ruleset->hides_something()) warn_of_dump(ends.bootstrap, start.from.position, log);
    start.past_dumps = ends.bootstrap && ends.bootstrap->state == BootstrapState::superseded;
    const bool any_delivered = state || facts.delivered_before > StreamSeq{1};
    DeliveredCheck check(options, *ruleset, *sink, broker, any_delivered, log);
    const bool by_rules = check.run(start, facts, tables.value_or(std::vector<RelationPtr>{}), stop);
    if (by_rules || (start.over && state)) {
        registration.start_over();
        ends.delivered.clear();
    }
    ruleset->applied(start.from.position);
    give_rules(*ruleset, *sink);

    // Registered before it subscribes: from here on nothing it needs is trimmed.
    registration.enter(state && !start.over ? *state : SinkState{start.from, 0, {}}, start.from);
    const Leaving leaving{registration, sink};
    check_not_bootstrapping(options, broker);
    const auto consumer = broker.consumer(options.names, start.from.resume_seq);
    DdlGate gate(broker, options.names, options.sink == "postgres", log);
    start.source = find_group_info(broker, options.names, ends.stream);
    start.ddl_allowed = [&](const Change& change, StreamSeq seq) { return gate.lets_pass(change, seq); };
    const auto share = std::make_shared<ShareFilter>(options.share, ends.delivered);
    if (!share->takes_all()) start.share = share;
    DirectSnapshot direct(options, *sink, broker, log);
    start.direct = &direct;

    SessionControl control = control_of(options, broker, rules, log, stop);
    control.report = [&](const WorkerReport& now) { ruleset->applied(registration.report(now).checkpoint.position); };
    Hold hold;
    HoldRequests requests(hold, CompareKeys(broker, options.names, options.worker), options.worker, log);
    if (options.sink == "postgres") {
        control.hold = &hold;
        control.see_compare = [&](Position taken) { requests.look(taken); };
    }
    Session session(options, *ruleset, check.delivered(), *sink, *consumer, start, std::move(control), log);
    const Drain::Reading reading(drain);
    take_over(rules, files, start, log);
    running();
    say_start(options, start.from, log);
    try {
        return run_known(session, drain.asked(), broker, options.names) == Session::End::gave_way;
    } catch (const Error& error) {
        registration.note_failure(error.what(), error.action() == Action::retry);
        throw;
    }
}

}  // namespace

void run_worker(const WorkerOptions& options, RulesInForce& rules, const SinkFactory& make_sink, const Log& log,
                const std::function<void()>& running, Drain& drain) {
    for (bool again = true; again;) {
        const auto files = rules.next();
        try {
            again = run_session(options, rules, files, make_sink, log, running, drain);
        } catch (const Error& error) {
            if (error.action() == Action::retry || rules.in_force(files)) throw;
            refuse_rules(rules, files, error, log);
        }
    }
}

}  // namespace pgsluice
