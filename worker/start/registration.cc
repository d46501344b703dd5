#include "worker/start/registration.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "sql/error.h"
#include "stream/base/pause.h"
#include "worker/share/start.h"

namespace pgsluice {

namespace {

// Whether the entry only repeats this sink's own state, which the sink's own lock protects.
bool is_of(const WorkerEntry& entry, const Sink& sink, const std::optional<SinkState>& state) {
    return sink.keeps_state() && state && entry.durable.resume_seq <= state->checkpoint.resume_seq;
}

}  // namespace

// One name, one worker: two would split the data between them, or the stream would be trimmed under one of them. A
// worker that was killed no longer reports. Waiting for that takes a moment, so it is done only if it may be another.
void Registration::take_name(const Sink& sink, const std::optional<SinkState>& state, const Log& log,
                             const std::stop_token& stop) {
    const auto entry = registry_.find(options_.worker);
    if (!entry) return;
    if (entry->sink != options_.sink)
        throw stop_error(fmt::format("unable to start worker '{}': the group has a {} worker of this name",
                                     options_.worker, entry->sink),
                         fmt::format("Give this one its own --worker-name. If the other is not needed any more, remove "
                                     "it: pgsluice forget --group {} --worker-name {}",
                                     options_.names.group, options_.worker));
    const auto interval = std::chrono::milliseconds(options_.registry_interval_ms);
    const auto silence = std::chrono::microseconds(registry_.now_us() - entry->reported_us);
    if (entry->session.empty() || silence > 10 * interval || is_of(*entry, sink, state)) return;
    log(LogLevel::info,
        fmt::format("worker '{}' was active recently; checking whether it is still running", options_.worker));
    for (int i = 0; i < 15; ++i) {
        if (!pause(stop, interval / 5)) throw Interrupted{};
        const auto now = registry_.find(options_.worker);
        if (!now || now->session.empty()) return;
        if (now->reported_us != entry->reported_us)
            throw retry_error(
                fmt::format("unable to start worker '{}': another worker of this name is running", options_.worker),
                "Give each worker of a group its own --worker-name.");
    }
}

std::optional<SinkState> Registration::recall(Sink& sink) {
    if (!own_ || own_->durable.resume_seq.value == 0) return std::nullopt;
    // A share that was not started yet, and nothing of its rows was delivered.
    if (own_->registered_us == 0 && own_->durable.position == Position{}) return std::nullopt;
    const SinkState state{own_->durable, own_->loading_epoch, own_->begin_seq};
    sink.resume(state);
    return state;
}

std::vector<DeliveredPart> Registration::enter_share(Broker& broker, Sink& sink, const Log& log,
                                                     const std::stop_token& stop) {
    pgsluice::enter_share(options_, broker, registry_, sink, log, stop);
    own_ = registry_.find(options_.worker);
    if (own_) handover_ = own_->handover;
    return handover_ ? handover_->parts : std::vector<DeliveredPart>{};
}

std::optional<SinkState> Registration::begin(Sink& sink, const std::optional<SinkState>& state) {
    return begin_of_share(options_, own_, sink, state);
}

// Beyond all that was handed over, it is a worker as any other.
bool Registration::is_beyond_handover() const {
    const auto passed = [this](StreamSeq seq) { return durable_.checkpoint.resume_seq > seq; };
    return passed(handover_->start.resume_seq) && std::ranges::all_of(handover_->parts, passed, &DeliveredPart::from);
}

StreamSeq Registration::begin_marker(const SinkState& state) {
    const auto entry = registry_.find(options_.worker);
    const bool same = entry && entry->loading_epoch == state.loading_epoch;
    return same ? std::max(state.begin_seq, entry->begin_seq) : state.begin_seq;
}

void Registration::enter(const SinkState& durable, const Checkpoint& applied) {
    durable_ = durable;
    registry_.report(entry({durable, applied, {}}));
}

SinkState Registration::report(const WorkerReport& report) {
    if (report.durable.checkpoint.resume_seq.value != 0) durable_ = report.durable;
    const auto now = std::chrono::steady_clock::now();
    rate_.add(report.changes, now);
    const auto seldom = std::chrono::milliseconds(options_.registry_interval_ms) * 3 / 2;
    if (handover_ && is_beyond_handover()) handover_.reset();
    WorkerEntry next = entry(report);
    if (next == reported_ && now - reported_at_ < seldom) return durable_;
    reported_ = next;
    reported_at_ = now;
    if (!registry_.report(std::move(next))) reported_at_ = {};
    return durable_;
}

WorkerEntry Registration::entry(const WorkerReport& report) const {
    WorkerEntry entry;
    entry.name = options_.worker;
    entry.sink = options_.sink;
    entry.applied = report.applied;
    entry.durable = durable_.checkpoint;
    entry.loading_epoch = durable_.loading_epoch;
    entry.begin_seq = durable_.begin_seq;
    entry.handover = handover_;
    if (options_.waits) entry.waiting = options_.waits->longest();
    entry.changes_per_second = rate_.per_second();
    entry.applying_us = report.applying_us;
    if (!options_.trouble) return entry;
    const Trouble::Last last = options_.trouble->last();
    entry.last_error = last.text;
    entry.last_error_us = last.at_us;
    return entry;
}

}  // namespace pgsluice
