#include "worker/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sql/timestamp.h"
#include "stream/base/failpoint.h"
#include "stream/base/pause.h"
#include "stream/format/markers.h"
#include "stream/format/version.h"
#include "stream/origin.h"
#include "stream/process/hop_trace.h"
#include "stream/recovery_hint.h"
#include "worker/shown_rows.h"
#include "worker/start/bootstrap.h"

namespace pgsluice {

namespace {

constexpr std::size_t max_bytes_ahead = 4 * 1024 * 1024;
// How long the loop waits for a message when it has nothing to apply; flush() is called as often.
constexpr std::chrono::milliseconds idle_wait(200);
constexpr std::chrono::milliseconds quiet_wait(500);
constexpr std::chrono::seconds quiet_after(5);
constexpr int piece_wait_ms = 20;
constexpr int stand_poll_ms = 20;
constexpr std::chrono::seconds long_wait{10};

}  // namespace

Session::Session(const WorkerOptions& options, Ruleset& ruleset, Delivered& delivered, Sink& sink, Consumer& consumer,
                 SessionStart start, SessionControl control, const Log& log)
    : options_(options),
      sink_(sink),
      log_(log),
      start_(std::move(start)),
      control_(std::move(control)),
      metrics_(*options.metrics),
      tally_(metrics_),
      plans_(ruleset, delivered, log),
      batcher_(ruleset, plans_, {options.batch_size, options.batch_bytes}, start_.from),
      snapshot_(sink, plans_, delivered, foreign_message_hint(options.names.group)),
      taken_seq_{start_.from.resume_seq.value - (start_.from.resume_seq.value == 0 ? 0 : 1)},
      applied_upto_(start_.from),
      snapshot_done_(start_.snapshot_applied),
      rhythm_(idle_wait, quiet_wait, quiet_after),
      fetcher_(consumer, max_bytes_ahead, foreign_message_hint(options.names.group)) {
    batcher_.tell_dropped([this](const Relation& relation) { tally_.dropped(relation); });
    batcher_.tell_rewritten([this](const Relation& relation) { tally_.rewritten(relation); });
    batcher_.pass_ddl_if(start_.ddl_allowed);
    if (options.shown_rows)
        batcher_.show([rows = options.shown_rows](const Change& source, const Change* passed) {
            if (rows->wants()) rows->take(source, passed);
        });
    if (start_.share) {
        // A truncate must not take rows along that another share has brought.
        start_.share->tell_met([&ruleset, targets = start_.targets](const RelationPtr& table) {
            if (targets != nullptr) targets->add(*table);
            ruleset.know_former({&table, 1});
        });
        batcher_.take_share(*start_.share);
        snapshot_.take_share(*start_.share);
    }
    if (start_.source) read_from(*start_.source);
    if (!start_.tables_checked) unchecked_tables_ = ruleset.tables();
    if (start_.over) before_epoch_ = WorkerReport{{start_.from, 0, {}}, start_.from, {}};
    if (!start_.loading) return;
    begin_seq_ = start_.loading->marker;
    snapshot_.resume(start_.loading->begin, {begin_seq_, start_.from.position});
}

// The loop: take messages while they come, apply when a batch is full or the input has run dry.
Session::End Session::run(const std::stop_token& stop) {
    stop_ = stop;
    sink_.while_waiting([this] { report_if_due(); });
    try {
        stand_if_asked();  // a session before this one may have been asked
        while (!stopped() && !finished() && !gives_way()) read_on();
        if (!gave_way_)
            apply_pending();
        else if (batcher_.has_complete())
            apply();
        sink_.close();
    } catch (const Interrupted&) {
        say_left();
        throw;
    }
    if (stop.stop_requested()) say_left();
    control_.report(state());
    return gave_way_ ? End::gave_way : End::stopped;
}

void Session::read_on() {
    const auto fetched = fetch();
    if (fetched) {
        took_ = true;
        busy_ = fetched->message.meta.kind == MessageKind::changes;
        take(*fetched);
    } else {
        idle();
        busy_ = false;
    }
    flush_if_due();
    report_if_due();
    stand_if_asked();
}

// While a compare holds the worker, the stream is not drained: the position that it waits for must not be passed.
bool Session::stopped() {
    if (!stop_.stop_requested()) return false;
    const bool held = control_.hold != nullptr && control_.hold->asked();
    return left_within_ || held || !control_.last_message || control_.over.stop_requested() || drained();
}

// A transaction of which the sink has a piece is handed on by one set of rules to its end.
bool Session::gives_way() {
    if (gave_way_ || stop_.stop_requested() || !control_.asked_to_give_way || !control_.asked_to_give_way())
        return gave_way_;
    gave_way_ = !within_transaction_;
    if (!gave_way_) say_waiting_for_end();
    return gave_way_;
}

void Session::say_waiting_for_end() {
    const auto now = std::chrono::steady_clock::now();
    if (!asked_at_) asked_at_ = now;
    if (now - *asked_at_ < long_wait || std::exchange(said_waiting_, true)) return;
    log_(LogLevel::warning,
         fmt::format(
             "the rules that were read again wait for the end of the transaction at {}, of which the {} sink has "
             "a part",
             to_string(batcher_.position()), options_.sink));
}

bool Session::drained() {
    if (!std::exchange(asked_end_, true)) drain_to_ = control_.last_message();
    return !drain_to_ || taken_seq_ >= *drain_to_;
}

void Session::say_left() const {
    if (!drain_to_) return;
    const std::uint64_t left = drain_to_->value - std::min(taken_seq_, *drain_to_).value;
    if (left == 0 && !control_.over.stop_requested())
        log_(LogLevel::info, "all that the stream held is applied");
    else
        log_(LogLevel::info,
             fmt::format("drain timeout reached with {} messages unread; the next start continues here", left));
}

std::optional<Fetched> Session::fetch() {
    waits_for_stream_.go_on();
    auto fetched = fetcher_.next(patience_ms());
    if (fetched || batcher_.worth_applying()) waits_for_stream_.end();
    return fetched;
}

void Session::flush_if_due() {
    if (std::chrono::steady_clock::now() < next_flush_) return;
    sink_.flush();
    next_flush_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.registry_interval_ms);
}

void Session::report_if_due() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_report_) return;
    next_report_ = now + std::chrono::milliseconds(options_.registry_interval_ms);
    control_.report(state());
    show();
}

// A session that has taken nothing yet knows of its last change alone.
void Session::show() const {
    const WorkerReport now = state();
    const Lsn applied = std::max(now.applied_lsn, now.applied.position.commit);
    // Between the last change that is durable and what is applied there may be nothing of ours.
    const bool level = now.durable.checkpoint == now.applied;
    metrics_.applied.at.set(static_cast<std::int64_t>(now.applied.resume_seq.value));
    metrics_.applied_lsn.set(static_cast<std::int64_t>(applied.value));
    metrics_.durable.at.set(static_cast<std::int64_t>(now.durable.checkpoint.resume_seq.value));
    metrics_.durable_lsn.set(
        static_cast<std::int64_t>((level ? applied : now.durable.checkpoint.position.commit).value));
}

void Session::stand_if_asked() {
    if (control_.hold == nullptr) return;
    control_.see_compare(batcher_.position());
    reach_if_applied();
    stand();
}

// Nothing is taken meanwhile; the registry hears that we are here.
void Session::stand() {
    if (control_.hold->stands(Hold::Clock::now())) waits_for_stream_.end();
    while (control_.hold->stands(Hold::Clock::now()) && pause(stop_, std::chrono::milliseconds(stand_poll_ms))) {
        report_if_due();
        control_.see_compare(batcher_.position());
        reach_if_applied();
    }
    batcher_.stop_before(control_.hold->stop_before());
}

// The log itself is beyond the LSN, with nothing of ours in between.
void Session::reach_if_applied() {
    const auto limit = control_.hold->stop_before();
    if (limit && taken_ >= *limit && !batcher_.in_transaction() && !snapshot_.loading()) reach();
}

void Session::reach() {
    apply_pending();
    control_.hold->reach(Hold::Clock::now());
    control_.see_compare(batcher_.position());
}

// A snapshot that begins above the LSN.
void Session::reach_before(Position next) {
    const auto limit = control_.hold == nullptr ? std::nullopt : control_.hold->stop_before();
    if (!limit || next.commit < *limit || snapshot_.loading()) return;
    reach();
    stand();
}

WorkerReport Session::state() const {
    if (before_epoch_) return *before_epoch_;
    const std::int64_t between = busy_ ? batcher_.commit_time_us() : 0;  // what it reads next is younger
    return {{sink_.durable(), snapshot_.epoch(), begin_seq_},
            applied_upto_,
            applied_,
            changes_ + snapshot_.rows(),
            batcher_.oldest_us() != 0 ? batcher_.oldest_us() : between};
}

// The end of a transaction is applied as soon as the input has run dry. A piece of one makes nothing visible, so it may
// wait a little for the next message and save a round trip to the target.
int Session::patience_ms() {
    if (!batcher_.worth_applying()) return idle_wait_ms();
    return batcher_.in_transaction() && !batcher_.has_complete() ? piece_wait_ms : 0;
}

// A longer wait is woken by a message all the same, but not by a stop or a compare.
int Session::idle_wait_ms() {
    const bool awaited = stop_.stop_requested() || (control_.hold != nullptr && control_.hold->asked());
    const auto wait = rhythm_.next(std::exchange(took_, false) || awaited, std::chrono::steady_clock::now());
    return static_cast<int>(wait.count());
}

Error Session::not_ours(const Message& message, const Error& error) const {
    return stop_error(fmt::format("{} (message {} of the stream)", error.what(), message.last_seq.value),
                      foreign_message_hint(options_.names.group));
}

void Session::take(const Fetched& fetched) {
    const Message& message = fetched.message;
    tally_.taken(message);
    if (message.meta.kind == MessageKind::snapshot_begin) reach_before(message.meta.position);
    switch (message.meta.kind) {
        case MessageKind::changes:
            take_changes(fetched);
            break;
        case MessageKind::copy:
            take_copy(message);
            break;
        case MessageKind::snapshot_begin:
            take_snapshot_begin(message);
            break;
        case MessageKind::snapshot_end:
            take_snapshot_end(message);
            break;
        case MessageKind::group:
            apply_pending();
            require_known_format(options_.names.group, message.body);
            read_from(decoded(message, decode_group));
            batcher_.pass(message);
            break;
        case MessageKind::progress:
            if (!start_.past_dumps && decoded(message, is_dump_marker))
                check_has_dump(options_, message.meta.position, batcher_.position());
            batcher_.pass(message);
            break;
    }
    taken_ = std::max(taken_, message.meta.safe_flush_lsn);
    taken_seq_ = message.last_seq;
}

void Session::take_changes(const Fetched& fetched) {
    if (snapshot_.loading() || (start_.direct != nullptr && start_.direct->awaits_another()))
        throw stop_error(fmt::format("unable to read message {} of the stream: it holds changes, and the snapshot of "
                                     "epoch {} has not ended",
                                     fetched.message.first_seq.value, snapshot_.epoch()),
                         foreign_message_hint(options_.names.group));
    batcher_.start(fetched.message, fetched.block);
    while (fill()) {
        if (batcher_.stopped()) {
            reach();
            stand();
            if (stop_.stop_requested()) {
                left_within_ = true;
                return;
            }
        } else {
            apply();
            if (gives_way()) return;
        }
    }
}

// What was committed before a row that the rules do not fit is applied: files that fit it may no longer fit that.
bool Session::fill() {
    try {
        const bool stopped = batcher_.fill();
        if (batcher_.left_out_own()) tell_of_own();
        return stopped;
    } catch (const Error& error) {
        if (error.action() != Action::retry && batcher_.has_complete()) {
            apply();
            sink_.flush();
            control_.report(state());
        }
        throw;
    }
}

void Session::idle() {
    apply_pending();
    sink_.flush();
}

void Session::read_from(const GroupInfo& source) {
    sink_.read_from(source);
    const std::string home = sink_.home();
    if (!home.empty()) batcher_.tell_origins_apart(home == database_id(source) ? "" : home);
}

void Session::tell_of_own() {
    if (std::exchange(told_of_own_, true)) return;
    log_(LogLevel::info,
         "transactions that were first made in the target, and came to the source from there, are left out");
}

void Session::apply_pending() {
    // While a snapshot is loading, the checkpoint stays with the sink's own record of what is loaded.
    if (batcher_.worth_applying() && !snapshot_.loading()) apply();
    if (!batcher_.in_transaction() && !snapshot_.loading()) applied_ = taken_;
}

void Session::apply() {
    const Batch& batch = batcher_.next();
    hand_on(batch);
    within_transaction_ = !batch.complete;
    changes_ += batch.changes.size();
    PGSLUICE_FAILPOINT("after-apply");
    if (batch.complete) {
        applied_ = taken_;  // of the message being read, this batch may hold even more
        applied_upto_ = batch.upto;
    }
    batcher_.applied();
}

void Session::hand_on(const Batch& batch) {
    const auto begun = Spell::Clock::now();
    {
        const Spell::During applying(metrics_.in_sink);
        PGSLUICE_HOP("batched", batch.upto.position.commit);
        sink_.apply(batch);
        PGSLUICE_HOP("committed", batch.upto.position.commit);
    }
    const std::chrono::duration<double> took = Spell::Clock::now() - begun;
    if (!batch.changes.empty()) metrics_.apply_time.add(took.count());
    tally_.applied(batch, batcher_.committed(), sql::postgres_time_us());
    if (batcher_.heartbeats().empty()) return;
    // A sink may put off to write down that it has passed what holds no change; then that is when the target has it.
    sink_.flush();
    tally_.beat(batcher_.heartbeats(), sql::postgres_time_us());
}

bool Session::finished() const {
    if (options_.exit_after_snapshot && snapshot_done_) return true;
    return options_.exit_at_lsn && applied_ >= *options_.exit_at_lsn;
}

}  // namespace pgsluice
