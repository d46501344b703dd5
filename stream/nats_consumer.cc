#include "stream/nats_consumer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "stream/nats_message.h"

namespace pgsluice::nats {

namespace {

constexpr std::chrono::seconds look_interval(3);
constexpr int wait_step_ms = 100;

// The stream's sequence in a delivery's reply subject:
//     $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>
//     $JS.ACK.<domain>.<account>.<stream>.<consumer>.<delivered>.<stream seq>. ... in servers that say more
std::optional<StreamSeq> stream_seq(std::string_view reply) {
    std::array<std::string_view, 13> tokens;
    std::size_t count = 0;
    while (count < tokens.size()) {
        const auto dot = reply.find('.');
        tokens[count++] = reply.substr(0, dot);
        if (dot == std::string_view::npos) break;
        reply.remove_prefix(dot + 1);
    }
    if (count < 9 || tokens[0] != "$JS" || tokens[1] != "ACK") return std::nullopt;
    const auto digits = tokens[count >= 11 ? 7 : 5];
    StreamSeq seq;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seq.value);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return seq;
}

}  // namespace

NatsConsumer::NatsConsumer(std::shared_ptr<Link> link, const Names& names, StreamSeq from, std::stop_token stop)
    : link_(std::move(link)), names_(names), stop_(std::move(stop)), expected_{std::max<std::uint64_t>(1, from.value)} {
    subscribe();
}

Error NatsConsumer::gone(std::uint64_t first_seq) const {
    return stop_error(fmt::format("unable to read stream '{}' from message {}: it begins with {}", names_.stream,
                                  expected_.value, first_seq),
                      "what this worker still needed has been removed; start over: `pgsluice teardown`, then a new "
                      "copy (--copy-and-stream)");
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
            "start over: `pgsluice teardown`, then a new copy (--copy-and-stream)");
    }
    if (state.LastSeq + 1 < expected_.value) {
        throw stop_error(
            fmt::format("unable to read stream '{}' from message {}: its last is {}, so it was restored to an "
                        "earlier state or created anew",
                        names_.stream, expected_.value, state.LastSeq),
            "start over: `pgsluice teardown`, then a new copy (--copy-and-stream)");
    }
    if (first > expected_.value) throw gone(first);
    created_ns_ = info->Created;
    return true;
}

void NatsConsumer::subscribe() {
    disconnects_ = link_->disconnects();
    subscription_.reset();
    jsSubOptions options;
    jsSubOptions_Init(&options);
    options.Stream = names_.stream.c_str();
    options.Ordered = true;
    options.Config.DeliverPolicy = js_DeliverByStartSequence;
    options.Config.OptStartSeq = expected_.value;
    jsErrCode js_error{};
    natsSubscription* made = nullptr;
    const auto subjects = fmt::format("pgsluice.{}.>", names_.group);
    const auto status = js_SubscribeSync(&made, link_->js(), subjects.c_str(), nullptr, &options, &js_error);
    subscription_.reset(made);
    // The stream is looked at after subscribing, so that nothing can be trimmed in between. Its errors say more.
    if (status != NATS_OK && check_stream())
        throw error(fmt::format("read stream '{}'", names_.stream), status, js_error);
    check(status, fmt::format("read stream '{}'", names_.stream), js_error);
    check(natsSubscription_SetPendingLimits(made, -1, -1), "read without limits");
    if (!check_stream()) throw retry_error(fmt::format("unable to read stream '{}': no answer", names_.stream));
}

// Nothing has come for a while: is all well?
void NatsConsumer::look_after() {
    const auto now = std::chrono::steady_clock::now();
    const bool again = !subscription_ || link_->disconnects() != disconnects_;
    if (!again && now - looked_at_ < look_interval) return;
    if (!link_->connected()) return;
    if (!again) {
        check_stream();
        return;
    }
    try {
        subscribe();
    } catch (const Error& error) {
        if (error.action() != Action::retry) throw;
        subscription_.reset();
        link_->log(LogLevel::debug, error.what());
    }
}

Msg NatsConsumer::receive(int timeout_ms) {
    if (!subscription_) return nullptr;
    if (timeout_ms == 0) {
        std::uint64_t waiting = 0;
        if (natsSubscription_QueuedMsgs(subscription_.get(), &waiting) != NATS_OK || waiting == 0) return nullptr;
    }
    natsMsg* made = nullptr;
    const auto status = natsSubscription_NextMsg(&made, subscription_.get(), timeout_ms);
    Msg msg(made);
    if (status == NATS_OK || status == NATS_TIMEOUT) return msg;
    link_->log(LogLevel::debug, fmt::format("reading stream '{}': {}", names_.stream, last_error(status)));
    subscription_.reset();
    return nullptr;
}

std::optional<Message> NatsConsumer::next(int timeout_ms) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    int left_ms = timeout_ms;
    while (true) {
        if (auto msg = receive(std::min(left_ms, wait_step_ms))) {
            if (auto message = take(std::move(msg))) return message;
            if (stop_.stop_requested()) return std::nullopt;
            continue;
        }
        look_after();
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        left_ms = static_cast<int>(left.count());
        if (left_ms <= 0 || stop_.stop_requested()) return std::nullopt;
        if (!subscription_) nats_Sleep(std::min(left_ms, wait_step_ms));
    }
}

std::optional<Message> NatsConsumer::take(Msg msg) {
    const char* reply = natsMsg_GetReply(msg.get());
    const auto seq = stream_seq(reply == nullptr ? "" : reply);
    if (!seq) return std::nullopt;              // not a delivery
    if (*seq < expected_) return std::nullopt;  // delivered again after nats.c has made a new consumer
    if (*seq > expected_) {
        // Trimmed or deleted; check_stream() says so when it was trimmed.
        if (!check_stream()) throw retry_error(fmt::format("unable to read stream '{}': no answer", names_.stream));
        throw stop_error(
            fmt::format("unable to read stream '{}': after message {} comes {}", names_.stream, expected_.value - 1,
                        seq->value),
            "somebody deleted messages by hand; start over: `pgsluice teardown`, then a new copy (--copy-and-stream)");
    }
    ++expected_.value;
    const auto headers = parse_headers(*msg, names_.stream, *seq);
    const auto body = body_of(*msg);
    return parts_.take(*seq, headers, body, MessageOwner(msg.release(), natsMsg_Destroy));
}

}  // namespace pgsluice::nats
