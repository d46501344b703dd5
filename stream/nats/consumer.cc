#include "stream/nats/consumer.h"

#include <algorithm>

#include "stream/nats/message.h"
#include "stream/recovery_hint.h"

namespace pgsluice::nats {

namespace {

constexpr std::chrono::seconds look_interval(3);
constexpr int wait_step_ms = 100;

}  // namespace

NatsConsumer::NatsConsumer(std::shared_ptr<Link> link, const Names& names, StreamSeq from)
    : link_(std::move(link)), names_(names), expected_{std::max<std::uint64_t>(1, from.value)} {
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
                         "start the group's replicator, which creates it");
    }
    const auto& state = info->State;
    const auto first = state.Msgs == 0 ? state.LastSeq + 1 : state.FirstSeq;
    if (created_ns_ != 0 && info->Created != created_ns_) {
        throw stop_error(
            fmt::format("unable to go on reading stream '{}': it was deleted and created anew", names_.stream),
            resnapshot_then_start_worker_hint);
    }
    const bool early = state.LastSeq + 1 < expected_.value;
    if (!early) early_since_.reset();
    if (early && may_settle(info->Config->Replicas)) return false;
    if (early) {
        throw stop_error(
            fmt::format("unable to read stream '{}' from message {}: its last is {}, so it was restored to an "
                        "earlier state or created anew",
                        names_.stream, expected_.value, state.LastSeq),
            resnapshot_then_start_worker_hint);
    }
    if (first > expected_.value) throw gone(first);
    created_ns_ = info->Created;
    return true;
}

// A new leader that has not applied all yet tells of too early an end.
bool NatsConsumer::may_settle(std::int64_t replicas) {
    if (replicas <= 1) return false;
    const auto now = std::chrono::steady_clock::now();
    if (!early_since_) early_since_ = now;
    return now - *early_since_ < std::chrono::milliseconds(settle_ms);
}

void NatsConsumer::subscribe() {
    delivery_.reset();
    try {
        delivery_.emplace(*link_, names_.stream, expected_);
    } catch (const Error&) {
        check_stream();  // its errors say more
        throw;
    }
    // The stream is looked at after subscribing, so that nothing can be trimmed in between.
    if (!check_stream()) throw retry_error(fmt::format("unable to read stream '{}': no answer", names_.stream));
}

// A stream that was restored to an earlier state, and then written to, may be long enough and yet another one: what was
// read last must still be what it was, unless it is trimmed.
bool NatsConsumer::last_is_same() const {
    if (!last_) return true;
    const StreamSeq seq{expected_.value - 1};
    const auto msg = link_->message(names_.stream, seq);
    return !msg || parse_headers(*msg, names_.stream, seq).meta == *last_;
}

// Nothing has come for a while: is all well?
void NatsConsumer::look_after() {
    const bool again = !delivery_ || delivery_->broken();
    if (!again && std::chrono::steady_clock::now() - looked_at_ < look_interval) return;
    if (!link_->connected()) return;
    if (!again) {
        check_stream();
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
    // The next start finds out what the sink can go on with.
    throw retry_error(
        fmt::format("unable to go on reading stream '{}': message {} is another one than it was, so it was "
                    "restored to an earlier state",
                    names_.stream, expected_.value - 1));
}

std::optional<Message> NatsConsumer::next(int timeout_ms) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    int left_ms = timeout_ms;
    while (true) {
        if (auto delivered = delivery_ ? delivery_->next(std::min(left_ms, wait_step_ms)) : std::nullopt) {
            if (auto message = take(std::move(*delivered))) return message;
            continue;
        }
        look_after();
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        left_ms = static_cast<int>(left.count());
        if (left_ms <= 0) return std::nullopt;
        if (!delivery_) nats_Sleep(std::min(left_ms, wait_step_ms));
    }
}

// A message is missing before this one: on the way to us, or in the stream? Only a sound delivery's first one proves
// the latter.
void NatsConsumer::miss(const Delivered& delivered) {
    if (!delivered.first || delivery_->broken()) {
        delivery_.reset();  // made anew from the one that is missing
        return;
    }
    // Trimmed or deleted; check_stream() says so when it was trimmed.
    if (!check_stream()) throw retry_error(fmt::format("unable to read stream '{}': no answer", names_.stream));
    throw stop_error(fmt::format("unable to read stream '{}': after message {} comes {}", names_.stream,
                                 expected_.value - 1, delivered.seq.value),
                     start_group_anew_hint);
}

std::optional<Message> NatsConsumer::take(Delivered delivered) {
    if (delivered.seq < expected_) return std::nullopt;  // never heard of; harmless
    if (delivered.seq > expected_) {
        miss(delivered);
        return std::nullopt;
    }
    ++expected_.value;
    auto& msg = delivered.msg;
    const auto headers = parse_headers(*msg, names_.stream, delivered.seq);
    last_ = headers.meta;
    const auto body = body_of(*msg);
    return parts_.take(delivered.seq, headers, body,
                       MessageOwner(msg.release(), [spent = spent_](natsMsg* done) { spent->add(Msg(done)); }));
}

}  // namespace pgsluice::nats
