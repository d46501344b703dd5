#include "replicator/wal/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <variant>

#include "replicator/replicator_metrics.h"
#include "replicator/wal/encoder.h"
#include "replicator/wal/frame.h"
#include "replicator/wal/ledger.h"
#include "replicator/wal/open_transactions.h"
#include "sql/timestamp.h"
#include "stream/base/failpoint.h"
#include "stream/base/quiet_rhythm.h"
#include "stream/format/markers.h"
#include "stream/metrics/stretch.h"
#include "stream/process/hop_trace.h"

namespace pgsluice {

namespace {

using namespace std::chrono_literals;
using Time = WalSource::Clock::time_point;
using std::chrono::milliseconds;

// The walsender wakes its reader for every message; a reader that naps a little after a good catch is woken once for
// many.
constexpr std::size_t nap_from_bytes = 2048;
constexpr auto short_nap = 200us;
// What was committed so long before the walsender sent it is late already: we are catching up, or are in the middle of
// a large transaction. A few milliseconds more do no harm then, and handling many changes at a time costs less.
constexpr auto late_by = 100ms;
// Long enough for the receive window to fill: from then on a message costs the walsender a copy into its send buffer,
// not a trip of its own through the network stack. (A small SO_RCVBUF brings that about sooner, but saved nothing more
// and stalled when too small.)
constexpr auto long_nap = 25ms;
// While so many messages are not acknowledged, another small one would arrive no earlier for being sent at once: what
// comes meanwhile shares its block. A source that trickles never gets there.
constexpr std::uint64_t hold_back_from = 2;
// How long a block that no reader is waiting for may take to fill up.
constexpr auto block_age = 10ms;
// So much of a transaction may be all of it but its commit, which is then about to come: it is waited for, as a nap
// lasts longer.
constexpr std::size_t small_bytes = 4096;
// No wait is longer, so that a stop is seen soon. Where nothing has come for a while, fewer wakings count for more.
constexpr milliseconds longest_wait = 100ms;
constexpr milliseconds longest_quiet_wait = 500ms;
constexpr milliseconds quiet_after = 2s;
// A stream that is full for longer may be so for days.
constexpr milliseconds full_patience = 5s;
// Together below the 5 s in which a stopped program should be gone.
constexpr milliseconds finish_limit = 3000ms;
constexpr milliseconds end_limit = 500ms;

class WalStream {
   public:
    WalStream(WalSource& source, Publisher& publisher, const ResumePoint& resume, const ReplicatorOptions& options,
              const WalStreamHooks& hooks);

    WalEnd run(const std::stop_token& stop);

   private:
    struct Taken {
        std::size_t bytes = 0;
        bool dry = false;  // there was nothing more
    };

    Taken take_available();
    void take(std::string_view frame);
    void on(const XLogData& data);
    void on(const Keepalive& keepalive);
    void publish_block();
    void publish_marker(Lsn lsn);
    void publish(const MessageMeta& meta, std::string_view body);
    void show();
    void keep_in_touch();
    void make_way(bool room, Time now);
    void send_status(Time now);
    void check_silence(Time now) const;
    void rest(const Taken& taken);
    void push_out(milliseconds limit);
    void finish();
    [[nodiscard]] bool outstanding() { return encoder_.size() > 0 || publisher_.in_flight() > 0; }
    [[nodiscard]] bool read_all() const;
    [[nodiscard]] bool session_ends() const { return must_end_ || encoder_.session_ends(); }

    [[nodiscard]] bool may_send_early() const;
    [[nodiscard]] bool only_open_transaction() const;
    [[nodiscard]] bool ends_soon() const;
    [[nodiscard]] bool block_full() const { return encoder_.size() >= options_.block_bytes; }
    [[nodiscard]] bool caught_up() const { return encoder_.size() == 0 && !encoder_.in_transaction(); }
    [[nodiscard]] milliseconds until_status() const;
    [[nodiscard]] milliseconds quiet_wait();

    WalSource& source_;
    Publisher& publisher_;
    const ReplicatorOptions& options_;
    const WalStreamHooks& hooks_;
    ReplicatorMetrics& metrics_;
    Stretch waits_for_source_{metrics_.waiting_for_source};
    Stretch waits_for_stream_{metrics_.waiting_for_stream};
    OpenTransactions open_;
    WalEncoder encoder_;
    Ledger ledger_;
    milliseconds status_interval_;
    Time last_status_;
    Time last_received_;
    bool data_came_ = false;  // since the last pass
    QuietRhythm rhythm_{longest_wait, longest_quiet_wait, quiet_after};
    Time block_since_;             // when the block that is being filled got its first record
    bool late_ = false;            // see late_by
    Lsn published_;                // safe_flush_lsn of the last block published
    Lsn told_;                     // to the slot
    bool reply_requested_ = true;  // the first status goes out at once
    bool must_end_ = false;
    std::optional<Time> full_since_;
    bool closed_ = false;  // the source, by make_way()
    // Of the blocks in flight one is followed, for the commit time of what is stored.
    struct Probe {
        Lsn end;
        std::int64_t commit_time_us = 0;
    };
    std::optional<Probe> probe_;
    std::uint64_t told_changes_ = 0;
};

milliseconds feedback_interval(const WalSource& source, const ReplicatorOptions& options) {
    const milliseconds wanted(options.feedback_interval_ms);
    const auto timeout = source.wal_sender_timeout();
    return timeout == 0ms ? wanted : std::max(1ms, std::min(wanted, timeout / 3));
}

WalStream::WalStream(WalSource& source, Publisher& publisher, const ResumePoint& resume,
                     const ReplicatorOptions& options, const WalStreamHooks& hooks)
    : source_(source),
      publisher_(publisher),
      options_(options),
      hooks_(hooks),
      metrics_(*options.metrics),
      encoder_(resume, hooks.types),
      ledger_(resume.safe_flush_lsn, milliseconds(options.progress_interval_ms), source.now()),
      status_interval_(feedback_interval(source, options)),
      last_status_(source.now()),
      last_received_(source.now()),
      published_(resume.safe_flush_lsn) {
    encoder_.count_in(metrics_);
    encoder_.beat_as(options.names.group);
    if (options.origin == OriginMode::none) encoder_.drop_marked();
    if (hooks.until) encoder_.end_at(*hooks.until, hooks.left_out);
}

WalEnd WalStream::run(const std::stop_token& stop) {
    while (!stop.stop_requested() && !session_ends() && !read_all()) {
        const auto taken = take_available();
        keep_in_touch();
        rest(taken);
    }
    while (!stop.stop_requested() && outstanding()) push_out(longest_wait);
    const bool stored = !outstanding();
    finish();
    if (stop.stop_requested() || !stored) return WalEnd::stopped;
    return session_ends() ? WalEnd::session_end : WalEnd::reached;
}

// Whether `until` is reached.
bool WalStream::read_all() const {
    if (!hooks_.until) return false;
    return encoder_.at_end() || (!encoder_.in_transaction() && encoder_.reached().safe_flush_lsn >= *hooks_.until);
}

// Takes what is here now, at most about a block's worth, so that a status is never late. Publishes the block when it is
// full or when there is nothing more to put into it, unless many are on the way already. A full block that finds no
// room stays, and then no WAL is read: the walsender waits, and the slot keeps what we do not take.
WalStream::Taken WalStream::take_available() {
    Taken taken;
    const bool was_empty = encoder_.size() == 0;
    while (!block_full() && taken.bytes < options_.block_bytes && !encoder_.at_end()) {
        if (const auto message = open_.next()) {
            taken.bytes += message->size();
            encoder_.take(*message);
            continue;
        }
        const auto frame = source_.receive();
        if (!frame) {
            taken.dry = true;
            break;
        }
        taken.bytes += frame->size();
        take(*frame);
    }
    if (taken.bytes > 0) last_received_ = source_.now();
    if (was_empty) block_since_ = source_.now();
    if (encoder_.size() == 0 || !publisher_.has_room()) return taken;
    if (block_full() || (taken.dry && may_send_early())) publish_block();
    return taken;
}

// A block that is not full goes at once when it ends a transaction, unless many are on the way already. One inside a
// transaction makes nothing visible sooner; it only lets the worker begin, so it may wait a little. So may a late one.
bool WalStream::may_send_early() const {
    if (late_ || only_open_transaction()) return source_.now() - block_since_ >= block_age;
    return publisher_.in_flight() < hold_back_from;
}

// What is not published yet belongs to one transaction whose end has not come.
bool WalStream::only_open_transaction() const {
    return encoder_.in_transaction() && encoder_.reached().safe_flush_lsn == published_;
}

// The rest of a small transaction is on its way.
bool WalStream::ends_soon() const {
    return !late_ && only_open_transaction() && encoder_.size() < small_bytes &&
           source_.now() - block_since_ < block_age;
}

void WalStream::take(std::string_view frame) {
    std::visit([this](const auto& parsed) { on(parsed); }, parse_wal_frame(frame));
}

void WalStream::on(const XLogData& data) {
    data_came_ = true;
    if (open_.take(data.message)) {
        late_ = open_.in_chunk();
        return;
    }
    encoder_.take(data.message);
    if (!encoder_.in_transaction()) {
        PGSLUICE_HOP("flushed", encoder_.reached().position.commit, encoder_.commit_time_us());
        PGSLUICE_HOP("sent", encoder_.reached().position.commit, data.sent_us);
        PGSLUICE_HOP("decoded", encoder_.reached().position.commit);
        return;
    }
    late_ = data.sent_us - encoder_.commit_time_us() >= std::chrono::microseconds(late_by).count();
}

void WalStream::on(const Keepalive& keepalive) {
    encoder_.skip_to(keepalive.wal_end);
    if (!keepalive.reply_requested) return;
    reply_requested_ = true;
    ledger_.hurry();
}

void WalStream::publish_block() {
    const auto block = encoder_.finish();
    publish(block.meta, block.body);
    PGSLUICE_HOP("published", block.meta.position.commit);
    published_ = block.meta.safe_flush_lsn;
    if (!probe_) probe_ = Probe{published_, encoder_.commit_time_us()};
    ledger_.published(block.meta.safe_flush_lsn, source_.now());
}

void WalStream::publish_marker(Lsn lsn) {
    const auto body = encode(Progress{lsn, sql::postgres_time_us()});
    publish({MessageKind::progress, encoder_.reached().position, lsn}, body);
    ledger_.published(lsn, source_.now());
}

void WalStream::publish(const MessageMeta& meta, std::string_view body) {
    publisher_.publish(meta, body);
    metrics_.messages.add();
    metrics_.message_bytes.add(body.size());
}

// Of every pass, not of every change.
void WalStream::show() {
    metrics_.show_in_flight(publisher_);
    metrics_.open_transactions.set(static_cast<std::int64_t>(open_.count()));
    metrics_.open_bytes.set(static_cast<std::int64_t>(open_.bytes()));
    metrics_.received.at.set(static_cast<std::int64_t>(encoder_.reached().safe_flush_lsn.value));
    metrics_.received.commit_time_us.set(encoder_.commit_time_us());
    metrics_.published.at.set(static_cast<std::int64_t>(ledger_.confirmed().value));
    if (probe_ && ledger_.confirmed() >= probe_->end) {
        metrics_.published.commit_time_us.set(probe_->commit_time_us);
        probe_.reset();
    }
    metrics_.pending.set(metrics_.in_flight.get() > 0 || encoder_.size() > 0 || encoder_.in_transaction());
}

// What is due at its time, whether WAL comes or not and whether it can be published or not: acknowledgements noted, a
// progress marker, a status for the source.
void WalStream::keep_in_touch() {
    const auto now = source_.now();
    const bool room = publisher_.has_room();  // throws when the generation is broken
    if (room) waits_for_stream_.end();
    if (data_came_) waits_for_source_.end();
    if (const auto acked = publisher_.confirmed()) ledger_.acked(*acked);
    const auto reached = encoder_.reached().safe_flush_lsn;
    if (room && caught_up() && ledger_.marker_due(reached, now)) publish_marker(reached);
    show();
    make_way(room, now);
    check_silence(now);
    if (!reply_requested_ && until_status() > 0ms) return;
    send_status(now);
    if (hooks_.session_must_end && !must_end_) must_end_ = hooks_.session_must_end();
}

// A walsender whose client reads nothing hangs while it says that it was ended; the checkpoint that ended it, to remove
// what the slot keeps, waits for it meanwhile, and the WAL grows past its limit. So the connection is given up, and the
// next session, once there is room, has the source decode again what came over it.
void WalStream::make_way(bool room, Time now) {
    if (room) full_since_.reset();
    if (room || !hooks_.slot_in_danger) return;
    if (!full_since_) full_since_ = now;
    if (now - *full_since_ < full_patience || !hooks_.slot_in_danger() || closed_) return;
    if (hooks_.log)
        hooks_.log(LogLevel::warning,
                   "the stream has no room, and the source is about to invalidate the slot: closing the replication "
                   "connection, so that no checkpoint of the source waits for it; reading continues when the stream "
                   "has room and the slot is still there");
    source_.close();
    closed_ = must_end_ = true;
}

void WalStream::send_status(Time now) {
    auto confirmed = ledger_.confirmed();
    if (hooks_.confirm_limit) confirmed = std::min(confirmed, hooks_.confirm_limit());
    confirmed = std::max(confirmed, told_);
    const bool news = confirmed > told_;
    if (news) PGSLUICE_FAILPOINT("before-feedback");
    // Asking back when nothing has come tells a silent source from a dead one, and how far its WAL is.
    source_.send_status(confirmed, last_received_ <= last_status_);
    if (news) PGSLUICE_FAILPOINT("after-feedback");
    told_ = confirmed;
    last_status_ = now;
    reply_requested_ = false;
    if (hooks_.confirmed) hooks_.confirmed(confirmed);
    if (hooks_.changed && std::exchange(told_changes_, encoder_.changes()) != encoder_.changes())
        hooks_.changed(encoder_.last_changes());
}

void WalStream::check_silence(Time now) const {
    const auto silence = std::chrono::duration_cast<milliseconds>(now - last_received_);
    const bool at_work = source_.look(silence);
    if (at_work || silence < milliseconds(options_.source_timeout_ms)) return;
    throw retry_error(fmt::format("unable to read the write-ahead log: the source has not answered for {} s",
                                  options_.source_timeout_ms / 1000));
}

milliseconds WalStream::until_status() const {
    const auto left = std::chrono::ceil<milliseconds>(last_status_ + status_interval_ - source_.now());
    return std::clamp(left, 0ms, longest_quiet_wait);
}

// What is under way, here or to the stream, is seen to soon.
milliseconds WalStream::quiet_wait() {
    return rhythm_.next(std::exchange(data_came_, false) || outstanding() || encoder_.in_transaction(), source_.now());
}

void WalStream::rest(const Taken& taken) {
    const bool pending = encoder_.size() > 0 && (taken.dry || block_full());
    const milliseconds limit = std::min(until_status(), quiet_wait());
    if (pending && !publisher_.has_room()) {
        waits_for_stream_.go_on();
        publisher_.wait_for_room(static_cast<int>(limit.count()));
        last_received_ = source_.now();  // not reading is no silence of the source
    } else if (pending && taken.dry && ends_soon()) {
        source_.wait(std::min(limit, std::chrono::ceil<milliseconds>(block_since_ + block_age - source_.now())));
    } else if (taken.dry && (pending || taken.bytes >= nap_from_bytes)) {
        source_.nap(late_ ? long_nap : short_nap);
    } else if (taken.dry) {
        waits_for_source_.go_on();
        source_.wait(limit);
    }
}

void WalStream::push_out(milliseconds limit) {
    if (encoder_.size() > 0 && publisher_.has_room()) publish_block();
    const auto slice = static_cast<int>(std::min(limit, std::max(until_status(), 1ms)).count());
    if (encoder_.size() > 0) {
        waits_for_stream_.go_on();
        publisher_.wait_for_room(slice);
    } else {
        publisher_.await_acks(slice);
    }
    last_received_ = source_.now();  // not reading is no silence of the source
    keep_in_touch();
}

// Everything taken from the WAL is published, even half a transaction: the next session continues after its last
// change.
void WalStream::finish() {
    const auto deadline = source_.now() + finish_limit;
    const auto left = [&] { return std::chrono::ceil<milliseconds>(deadline - source_.now()); };
    while (left() > 0ms && outstanding()) push_out(left());
    if (const auto acked = publisher_.confirmed()) ledger_.acked(*acked);
    send_status(source_.now());
    source_.end(end_limit);
}

}  // namespace

WalEnd stream_wal(WalSource& source, Publisher& publisher, const ResumePoint& resume, const ReplicatorOptions& options,
                  const WalStreamHooks& hooks, std::stop_token stop) {
    return WalStream(source, publisher, resume, options, hooks).run(stop);
}

}  // namespace pgsluice
