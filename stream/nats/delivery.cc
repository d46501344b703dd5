#include "stream/nats/delivery.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "stream/nats/replies.h"

namespace pgsluice::nats {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t heartbeat_ns = second_ns;
// Three heartbeats: a busy server may be late with one.
constexpr std::chrono::seconds longest_silence(3);
// How long the server keeps a consumer without a subscriber: ours ends with its subscription.
constexpr std::int64_t inactive_ns = 5 * second_ns;

std::optional<std::uint64_t> number(std::string_view digits) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

struct Place {
    StreamSeq stream;
    std::uint64_t consumer = 0;  // counts this consumer's deliveries from 1
    std::int64_t stored_ns = 0;
};

// What a delivery's reply subject says; nothing when it is not a delivery. (natsMsg_GetTime() knows only messages that
// were asked for one by one.)
//     $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>
//     $JS.ACK.<domain>.<account>.<stream>.<consumer>.<delivered>.<stream seq>. ... from servers that add fields
std::optional<Place> place_in(std::string_view reply) {
    std::array<std::string_view, 13> tokens;
    std::size_t count = 0;
    while (count < tokens.size()) {
        const auto dot = reply.find('.');
        tokens[count++] = reply.substr(0, dot);
        if (dot == std::string_view::npos) break;
        reply.remove_prefix(dot + 1);
    }
    if (count < 9 || tokens[0] != "$JS" || tokens[1] != "ACK") return std::nullopt;
    const std::size_t at = count >= 11 ? 7 : 5;
    const auto stream = number(tokens[at]);
    const auto consumer = number(tokens[at + 1]);
    const auto stored = number(tokens[at + 2]);
    if (!stream || !consumer || !stored) return std::nullopt;
    return Place{{*stream}, *consumer, static_cast<std::int64_t>(*stored)};
}

const char* header(natsMsg& msg, const char* name) {
    const char* text = nullptr;
    return natsMsgHeader_Get(&msg, name, &text) == NATS_OK ? text : nullptr;
}

}  // namespace

Delivery::Delivery(const Link& link, const std::string& stream, StreamSeq from)
    : link_(link), disconnects_(link.disconnects()), inbox_(new_inbox(link)) {
    subscribe();
    make_consumer(stream, from);
    link_.free_retired();  // of broken deliveries; they hold messages not taken
    heard_ = Clock::now();
}

// No need to wait for the server: it removes a consumer without a subscriber a little later.
Delivery::~Delivery() {
    if (!broken()) static_cast<void>(natsConnection_Publish(link_.connection(), delete_subject_.c_str(), nullptr, 0));
}

void Delivery::make_consumer(const std::string& stream, StreamSeq from) {
    jsConsumerConfig config;
    jsConsumerConfig_Init(&config);
    config.DeliverSubject = inbox_.c_str();
    config.DeliverPolicy = js_DeliverByStartSequence;
    config.OptStartSeq = from.value;
    config.AckPolicy = js_AckNone;
    config.MaxDeliver = 1;
    config.FlowControl = true;
    config.Heartbeat = heartbeat_ns;
    config.InactiveThreshold = inactive_ns;
    config.MemoryStorage = true;
    config.Replicas = 1;
    jsErrCode js_error{};
    jsConsumerInfo* made = nullptr;
    const auto status = js_AddConsumer(&made, link_.js(), stream.c_str(), &config, nullptr, &js_error);
    const ConsumerInfo info(made);
    link_.check(status, fmt::format("read stream '{}'", stream), "CONSUMER.CREATE." + stream, js_error);
    const std::string& domain = link_.options().js_domain;
    delete_subject_ =
        fmt::format("$JS.{}API.CONSUMER.DELETE.{}.{}", domain.empty() ? "" : domain + ".", stream, info->Name);
}

// Without limits: flow control bounds what is in flight, and a limit would drop messages.
void Delivery::subscribe() {
    natsSubscription* made = nullptr;
    check(natsConnection_SubscribeSync(&made, link_.connection(), inbox_.c_str()), "subscribe");
    subscription_ = Subscription(made, {&link_});
    check(natsSubscription_SetPendingLimits(made, -1, -1), "read without limits");
}

std::optional<Delivered> Delivery::next(int timeout_ms) {
    const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
    while (!lost_) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        const auto left_ms = std::max<std::int64_t>(0, left.count());
        if (left_ms == 0 && !waiting()) break;
        natsMsg* made = nullptr;
        const auto status = natsSubscription_NextMsg(&made, subscription_.get(), left_ms);
        Msg msg(made);
        if (status == NATS_TIMEOUT) break;
        if (status != NATS_OK) {
            link_.log(LogLevel::debug, fmt::format("reading: {}", last_error(status)));
            lost_ = true;
            break;
        }
        heard_ = Clock::now();
        const char* reply = natsMsg_GetReply(msg.get());
        const auto place = place_in(reply == nullptr ? "" : reply);
        if (!place) {
            control(*msg);
        } else if (place->consumer == delivered_ + 1) {
            ++delivered_;
            return Delivered{std::move(msg), place->stream, place->stored_ns, delivered_ == 1};
        } else {
            lost_ = true;  // earlier ones were lost: the connection broke and came back at once
        }
    }
    return std::nullopt;
}

// A flow control request, to be answered once everything before it has been taken, or a heartbeat. A heartbeat may ask
// again for the answer to such a request, and says how many messages were delivered (in a cluster, messages can be lost
// between two servers).
void Delivery::control(natsMsg& msg) {
    if (const char* reply = natsMsg_GetReply(&msg); reply != nullptr && *reply != '\0') {
        answer(reply);
        return;
    }
    if (const char* stalled = header(msg, "Nats-Consumer-Stalled")) answer(stalled);
    const char* sent = header(msg, "Nats-Last-Consumer");
    if (sent != nullptr && number(sent).value_or(0) > delivered_) lost_ = true;
}

void Delivery::answer(const char* subject) {
    if (natsConnection_Publish(link_.connection(), subject, nullptr, 0) != NATS_OK) lost_ = true;
}

bool Delivery::waiting() const {
    std::uint64_t queued = 0;
    return natsSubscription_QueuedMsgs(subscription_.get(), &queued) == NATS_OK && queued > 0;
}

bool Delivery::broken() const {
    return lost_ || link_.disconnects() != disconnects_ || Clock::now() - heard_ > longest_silence;
}

}  // namespace pgsluice::nats
