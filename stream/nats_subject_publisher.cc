#include "stream/nats_subject_publisher.h"

#include <simdjson.h>

#include <algorithm>

#include "stream/nats_message.h"
#include "stream/nats_replies.h"

namespace pgsluice::nats {

namespace {

constexpr std::uint64_t max_in_flight_messages = 4096;
constexpr std::uint64_t max_in_flight_bytes = 16ULL << 20;  // the server cuts us off at 64 MiB
constexpr std::chrono::seconds ack_timeout(15);

// Why an acknowledgement is none; empty when the message is stored (or was before: "duplicate").
std::string failure_in(std::string_view json) {
    thread_local simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) return "the acknowledgement is not JSON";
    std::string_view description;
    if (root["error"]["description"].get(description) == simdjson::SUCCESS) return std::string(description);
    std::uint64_t seq = 0;
    return root["seq"].get(seq) == simdjson::SUCCESS ? "" : "the acknowledgement has no sequence";
}

}  // namespace

NatsSubjectPublisher::NatsSubjectPublisher(std::shared_ptr<Link> link)
    : link_(std::move(link)), disconnects_(link_->disconnects()) {
    natsInbox* made_inbox = nullptr;
    check(natsInbox_Create(&made_inbox), "make an inbox");
    const Inbox owner(made_inbox);
    inbox_ = made_inbox;
    subscription_ = subscribe_replies(*link_, inbox_, &NatsSubjectPublisher::on_reply, std::shared_ptr<void>(shared_));
}

void NatsSubjectPublisher::on_reply(natsConnection*, natsSubscription*, natsMsg* msg, void* closure) noexcept {
    const Msg owner(msg);
    auto& shared = shared_of<Shared>(closure);
    const std::string failure = natsMsg_IsNoResponders(msg) ? "no stream takes its subject" : failure_in(body_of(*msg));
    const std::lock_guard lock(shared.mutex);
    if (failure.empty()) {
        ++shared.stored;
    } else if (shared.broken.empty()) {
        shared.broken = failure;
    }
    shared.changed.notify_one();
}

bool NatsSubjectPublisher::wait_for_room(std::size_t bytes, int timeout_ms) {
    const bool many = bytes_since_empty_ + bytes > max_in_flight_bytes && bytes_since_empty_ > 0;
    return wait_for(many ? 0 : max_in_flight_messages - 1, timeout_ms);
}

void NatsSubjectPublisher::publish(const std::string& subject, std::string_view body, const std::string& message_id) {
    const auto msg = make_message(subject, inbox_.c_str(), body);
    check(natsMsgHeader_Set(msg.get(), "Nats-Msg-Id", message_id.c_str()), "set a header");
    check(natsConnection_PublishMsg(link_->connection(), msg.get()), "publish to subject '" + subject + "'");
    ++sent_;
    bytes_since_empty_ += body.size();
}

bool NatsSubjectPublisher::drain(int timeout_ms) { return wait_for(0, timeout_ms); }

// Waits in short steps, because nothing wakes us for a disconnect.
bool NatsSubjectPublisher::wait_for(std::uint64_t in_flight, int timeout_ms) {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds step(50);
    const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
    std::unique_lock lock(shared_->mutex);
    while (true) {
        const auto now = Clock::now();
        if (shared_->broken.empty() && link_->disconnects() != disconnects_) {
            shared_->broken = "the connection to NATS was lost";
        }
        if (!shared_->broken.empty()) {
            throw retry_error("unable to publish changes to NATS: " + shared_->broken,
                              "A stream must take the subjects of --nats-subject, and have room.");
        }
        const std::uint64_t under_way = sent_ - shared_->stored;
        if (under_way == 0) {
            bytes_since_empty_ = 0;
            moved_at_ = now;
        }
        if (under_way <= in_flight) return true;
        if (shared_->stored != seen_stored_) {
            seen_stored_ = shared_->stored;
            moved_at_ = now;
        } else if (now - moved_at_ > ack_timeout) {
            shared_->broken = "an acknowledgement is missing";
            continue;
        }
        if (now >= deadline) return false;
        const std::uint64_t stored = shared_->stored;
        shared_->changed.wait_until(lock, std::min(deadline, now + step),
                                    [&] { return shared_->stored != stored || !shared_->broken.empty(); });
    }
}

}  // namespace pgsluice::nats
