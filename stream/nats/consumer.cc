#include "stream/nats/consumer.h"

#include <algorithm>
#include <utility>

#include "stream/base/test_setting.h"
#include "stream/format/body_check.h"
#include "stream/nats/copies.h"
#include "stream/process/hop_trace.h"
#include "stream/recovery_hint.h"

namespace pgsluice::nats {

namespace {

constexpr std::chrono::seconds look_interval(3);
constexpr int wait_step_ms = 500;
constexpr int next_try_ms = 100;
constexpr std::chrono::seconds report_after(10);
constexpr std::chrono::seconds skip_rhythm(10);

}  // namespace

NatsConsumer::NatsConsumer(std::shared_ptr<Link> link, const Names& names, StreamSeq from,
                           std::function<void()> check_format)
    : link_(std::move(link)),
      names_(names),
      check_format_(std::move(check_format)),
      expected_{std::max<std::uint64_t>(1, from.value)},
      needed_(expected_),
      waits_([link = link_](LogLevel level, std::string_view text) { link->log(level, std::string(text)); }),
      parts_(foreign_message_hint(names.group)) {
    subscribe();
}

Error NatsConsumer::gone(std::uint64_t first_seq) const {
    return stop_error(fmt::format("unable to read stream '{}' from message {}: it begins with {}", names_.stream,
                                  expected_.value, first_seq),
                      resnapshot_then_start_worker_hint);
}

bool NatsConsumer::check_stream() {
    looked_at_ = std::chrono::steady_clock::now();
    StreamInfo info;
    try {
        info = link_->stream_info(names_.stream);
    } catch (const Error& error) {
        if (error.action() != Action::retry) throw;
        link_->log(LogLevel::debug, error.what());
        return false;
    }
    if (!info) {
        throw stop_error(fmt::format("unable to read stream '{}': it does not exist", names_.stream),
                         resnapshot_then_start_worker_hint);
    }
    const auto& state = info->State;
    const auto first = state.Msgs == 0 ? state.LastSeq + 1 : state.FirstSeq;
    if (created_ns_ != 0 && info->Created != created_ns_) {
        throw stop_error(
            fmt::format("unable to continue reading stream '{}': it was deleted and created again", names_.stream),
            resnapshot_then_start_worker_hint);
    }
    const bool early = state.LastSeq + 1 < expected_.value;
    if (!early) is_caught_up();
    if (early && may_be_catching_up(*info)) return false;
    if (early) {
        throw stop_error(
            fmt::format("unable to read stream '{}' from message {}: its last is {}, so it was restored to an "
                        "earlier state or created again",
                        names_.stream, expected_.value, state.LastSeq),
            resnapshot_then_start_worker_hint);
    }
    if (first > expected_.value &&
        begin_of(*link_, names_.stream, StreamSeq{first}, StreamSeq{state.LastSeq}) > expected_)
        throw gone(first);
    created_ns_ = info->Created;
    last_seq_ = {state.LastSeq};
    return true;
}

// Another consumer may be on another server. Where only a message that was removed is missing, it finds nothing either.
void NatsConsumer::renew_if_stalled() {
    if (!stall_.look(expected_, last_seq_, std::chrono::steady_clock::now())) return;
    link_->log(std::exchange(stall_said_, expected_) == expected_ ? LogLevel::debug : LogLevel::warning,
               fmt::format("stream '{}' ends with message {}, and none has come from {} on for {} s: asking for them "
                           "again",
                           names_.stream, last_seq_.value, expected_.value, Stall::limit.count()));
    delivery_.reset();
}

bool NatsConsumer::may_be_catching_up(const jsStreamInfo& info) {
    const std::string away = copies_away(info);
    if (!early_.may_pass(static_cast<int>(info.Config->Replicas), !away.empty(), looked_at_)) return false;
    if (const auto waited = early_.waited(looked_at_); *waited >= report_after)
        waits_.goes_on(&early_, fmt::format("message {} of stream '{}'", expected_.value - 1, names_.stream),
                       fmt::format("it was read, and the stream ends with {}{}", info.State.LastSeq,
                                   away.empty() ? "" : "; a copy is offline or behind, on: " + away),
                       *waited);
    return true;
}

void NatsConsumer::is_caught_up() {
    if (const auto waited = early_.waited(looked_at_)) waits_.is_over(&early_, *waited);
    early_.is_over();
}

void NatsConsumer::subscribe() {
    delivery_.reset();
    try {
        delivery_.emplace(*link_, names_.stream, expected_);
    } catch (const Error&) {
        check_stream();  // its errors are more specific
        throw;
    }
    // Checked after subscribing, so that nothing can be trimmed in between.
    if (!check_stream()) throw retry_error(fmt::format("unable to read stream '{}': no answer", names_.stream));
}

// A stream that was restored to an earlier state and then written to may be long enough, yet hold other messages: the
// message read last must be unchanged, unless it was trimmed.
bool NatsConsumer::last_is_same() const {
    if (!last_) return true;
    const StreamSeq seq{needed_.value - 1};
    const auto msg = link_->message(names_.stream, seq);
    std::string why;
    const auto own = msg ? read_own(*link_, names_.stream, *msg, seq, why) : std::nullopt;
    return !msg || (own && own->headers.meta == last_->meta);
}

// Nothing has arrived for a while: checks that the stream and the delivery are still sound.
void NatsConsumer::check_quiet_stream() {
    if (link_->some_denied())
        link_->check_permitted(fmt::format("read stream '{}'", names_.stream), "$JS.FC." + names_.stream + ".");
    const bool again = !delivery_ || delivery_->broken();
    if (!again && std::chrono::steady_clock::now() - looked_at_ < look_interval) return;
    if (!link_->connected()) return;
    if (!again) {
        if (check_stream()) renew_if_stalled();
        return;
    }
    bool same = true;
    try {
        subscribe();
        same = last_is_same();
    } catch (const Error& error) {
        if (error.action() != Action::retry) throw;
        delivery_.reset();
        link_->log(LogLevel::debug, error.what());
    }
    if (same) return;
    delivery_.reset();
    // The next start determines where the sink can continue.
    throw retry_error(
        fmt::format("unable to continue reading stream '{}': message {} is not the one read before, so the "
                    "stream was restored to an earlier state",
                    names_.stream, needed_.value - 1));
}

// A sound delivery brings a heartbeat every second.
void NatsConsumer::report_silence() {
    const auto now = std::chrono::steady_clock::now();
    const auto silence = std::chrono::duration_cast<std::chrono::milliseconds>(now - sound_at_);
    if (delivery_ && !delivery_->broken()) {
        waits_.is_over(this, silence);
        sound_at_ = now;
    } else if (silence >= report_after) {
        waits_.goes_on(this, fmt::format("NATS at '{}'", link_->name()),
                       link_->connected() ? "it does not answer" : "it cannot be reached", silence);
    }
}

std::optional<Message> NatsConsumer::next(int timeout_ms) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    int left_ms = timeout_ms;
    while (true) {
        if (auto delivered = delivery_ ? delivery_->next(std::min(left_ms, wait_step_ms)) : std::nullopt) {
            if (auto message = take(std::move(*delivered))) return message;
            continue;
        }
        link_->require_open();
        report_silence();
        check_quiet_stream();
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        left_ms = static_cast<int>(left.count());
        if (left_ms <= 0) return std::nullopt;
        if (!delivery_) nats_Sleep(std::min(left_ms, next_try_ms));
    }
}

// Messages are missing before this one: lost on the way, or missing in the stream? Only the first message of a sound
// delivery proves the latter. The next own message shows whether they were the replicator's.
bool NatsConsumer::are_gone(const Delivered& delivered) {
    if (!delivered.first || delivery_->broken()) {
        delivery_.reset();  // created again from the missing message
        return false;
    }
    // check_stream() throws when they were trimmed.
    if (!check_stream()) throw retry_error(fmt::format("unable to read stream '{}': no answer", names_.stream));
    return true;
}

// One line for each while they are few.
void NatsConsumer::skip(StreamSeq seq, const std::string& why) {
    const auto now = std::chrono::steady_clock::now();
    ++skipped_;
    if (skipped_said_ != std::chrono::steady_clock::time_point{} && now - skipped_said_ < skip_rhythm) return;
    check_format_();
    link_->log(
        LogLevel::warning,
        fmt::format("skipping message {} of stream '{}'{}, which the group's replicator did not write: {}", seq.value,
                    names_.stream, skipped_ == 1 ? "" : fmt::format(" and {} before", skipped_ - 1), why));
    skipped_ = 0;
    skipped_said_ = now;
}

// Only what was on its way at that moment is sent again (as the replicator finds it: foreign_before()). More shows that
// it takes what is refused here for its own.
void NatsConsumer::count_stranded(const Delivered& delivered, std::uint64_t bytes) {
    const PublisherLimits limits;
    const std::int64_t longest_ms = test_setting("PGSLUICE_STRANDED_MS", 8 * limits.ack_timeout_ms);
    if (stranded_.messages++ == 0) stranded_.since_ns = delivered.stored_ns;
    stranded_.bytes += bytes;
    if (stranded_.messages <= limits.max_in_flight_messages && stranded_.bytes <= 2 * limits.max_in_flight_bytes &&
        delivered.stored_ns - stranded_.since_ns <= longest_ms * 1'000'000)
        return;
    throw stop_error(
        fmt::format("unable to read stream '{}': message {} is not what the replicator wrote there, and the "
                    "replicator has continued after it: the message was changed on the way or in the stream",
                    names_.stream, needed_.value),
        "Start this worker again, so that it reads the message again. If it ends the same way: " +
            std::string(recreate_group_hint));
}

// Sealing may have begun since we started; then this is not one of the messages that others published.
void NatsConsumer::check_sealed(const std::string& why) const {
    if (why == sealed_reason) throw sealed_without_keys(fmt::format("stream '{}'", names_.stream));
    if (link_->seals().keyed() && !link_->seals().record(*link_, names_.stream)) throw not_sealed(names_.stream);
}

std::optional<OwnMessage> NatsConsumer::read(const Delivered& delivered) {
    std::string why;
    auto own = read_own(*link_, names_.stream, *delivered.msg, delivered.seq, why);
    if (!own) check_sealed(why);
    if (own && !last_) last_ = headers_before(*link_, names_.stream, *own);
    if (std::string fault = own && last_ ? fault_after(*last_, own->headers) : ""; !fault.empty()) {
        why = std::move(fault);
        own.reset();
    }
    if (!own) skip(delivered.seq, why);
    return own;
}

PlainBody NatsConsumer::plain_body(Delivered delivered, const OwnMessage& own) {
    std::string why;
    auto body = decoder_.decode(own.headers.encoding, own.body, why);
    if (!body)
        throw stop_error(
            fmt::format("unable to read message {} of stream '{}': {}", delivered.seq.value, names_.stream, why),
            foreign_message_hint(names_.group));
    MessageOwner bytes(delivered.msg.release(), [spent = spent_](natsMsg* done) { spent->add(Msg(done)); });
    if (!body->owner) body->owner = std::move(bytes);
    return std::move(*body);
}

std::optional<Message> NatsConsumer::take(Delivered delivered) {
    if (delivered.seq < expected_) return std::nullopt;  // not expected to happen; harmless
    if (delivered.seq > expected_) {
        if (!are_gone(delivered)) return std::nullopt;
        missing_ = true;
    }
    expected_ = StreamSeq{delivered.seq.value + 1};
    const auto own = read(delivered);
    if (!own) return std::nullopt;
    if (own->follows >= needed_ && !missing_ && !own->headers.follows) {
        // Another program's message took the place of one of the replicator's, which will send both again.
        count_stranded(delivered, own->body.size());
        skip(delivered.seq, fmt::format("it continues message {}", own->follows.value));
        return std::nullopt;
    }
    if (own->follows >= needed_)
        throw stop_error(
            fmt::format("unable to read stream '{}': message {} is followed by {}, and what the replicator wrote "
                        "between them is missing",
                        names_.stream, needed_.value - 1, delivered.seq.value),
            recreate_group_hint);
    PGSLUICE_HOP("delivered", own->headers.meta.position.commit);
    needed_ = expected_;
    stranded_ = {};
    missing_ = false;
    last_ = own->headers;
    const StreamSeq seq = delivered.seq;
    PlainBody body = plain_body(std::move(delivered), *own);
    auto message = parts_.take(seq, own->headers, body.text, std::move(body.owner));
    if (const bool before = std::exchange(passes_parts_, parts_.too_large()); passes_parts_ && !before)
        link_->log(LogLevel::warning,
                   fmt::format("passing over parts of a message larger than {} bytes, up to message {} of stream '{}' "
                               "and after it: the group's replicator writes none",
                               most_body_bytes(own->headers.meta.kind), seq.value, names_.stream));
    return message;
}

}  // namespace pgsluice::nats
