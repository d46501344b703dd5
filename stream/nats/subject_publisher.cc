#include "stream/subject_publisher.h"

#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>

#include "stream/nats/link.h"
#include "stream/nats/message.h"
#include "stream/nats/replies.h"
#include "stream/nats/store_order.h"

namespace pgsluice {

using namespace nats;

namespace {

constexpr std::uint64_t max_in_flight_messages = 4096;
constexpr std::uint64_t max_in_flight_bytes = 16ULL << 20;  // above 64 MiB the server closes the connection
constexpr std::chrono::seconds ack_timeout(15);

constexpr std::int64_t larger_than_stream_allows = 10054;  // JSStreamMessageExceedsMaximumErr

struct Acknowledgement {
    StoredAs as;
    std::string failure;  // the reason for a refusal; empty when the message is stored, now or earlier
    bool lasting = false;
};

Acknowledgement parse_acknowledgement(std::string_view json) {
    thread_local simdjson::dom::parser parser;
    simdjson::dom::element root;
    Acknowledgement ack;
    if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) {
        ack.failure = "the acknowledgement is not JSON";
        return ack;
    }
    std::string_view text;
    if (root["error"]["description"].get(text) == simdjson::SUCCESS) {
        std::int64_t code = 0;
        ack.failure = text;
        ack.lasting = root["error"]["err_code"].get(code) == simdjson::SUCCESS && code == larger_than_stream_allows;
        return ack;
    }
    if (root["seq"].get(ack.as.seq) != simdjson::SUCCESS) ack.failure = "the acknowledgement has no sequence";
    if (root["stream"].get(text) == simdjson::SUCCESS) ack.as.stream = text;
    if (root["duplicate"].get(ack.as.duplicate) != simdjson::SUCCESS) ack.as.duplicate = false;
    return ack;
}

}  // namespace

// Acknowledgements arrive at one inbox, each with its message's number after the inbox's name. Messages are kept until
// they are known to be stored in order.
class SubjectPublisher::Sender {
   public:
    explicit Sender(std::shared_ptr<Link> link);

    bool wait_for_room(std::size_t bytes, int timeout_ms);
    void publish(const std::string& subject, std::string_view body, const std::string& message_id);
    bool await_acks(int timeout_ms);

   private:
    using Clock = std::chrono::steady_clock;

    // Used by the acknowledgement thread; lives until nats.c has called back for the last time.
    struct Shared {
        explicit Shared(const Link& link) : inbox(link) {}
        const ReplyInbox inbox;
        std::mutex mutex;
        std::condition_variable changed;
        StoreOrder order;
        std::string broken;    // the first failure
        bool lasting = false;  // a retry would fail the same way
    };
    struct Sent {
        Msg msg;
        std::string id;
        unsigned attempt = 0;
    };
    static void on_reply(natsConnection*, natsSubscription*, natsMsg* msg, void* closure) noexcept;

    // Waits until at most this many messages are unsettled; false on timeout.
    bool wait_for(std::size_t unsettled, int timeout_ms);
    void throw_on_failure(Clock::time_point now);
    void forget_settled();
    void send(const Sent& sent);
    void send_again();

    std::shared_ptr<Link> link_;
    std::uint64_t disconnects_;
    std::shared_ptr<Shared> shared_;
    std::deque<Sent> unsettled_;
    std::uint64_t first_ = 0;              // number of unsettled_.front()
    std::uint64_t bytes_since_empty_ = 0;  // sent since the last time nothing was in flight
    std::uint64_t heard_ = 0;              // acknowledgements, when one was last seen
    Clock::time_point moved_at_{};         // when that was, or nothing was in flight
    Subscription subscription_;            // last: its callbacks use the others
};

SubjectPublisher::Sender::Sender(std::shared_ptr<Link> link)
    : link_(std::move(link)), disconnects_(link_->disconnects()), shared_(std::make_shared<Shared>(*link_)) {
    subscription_ = subscribe_replies(*link_, shared_->inbox.all_subjects(), &SubjectPublisher::Sender::on_reply,
                                      std::shared_ptr<void>(shared_));
}

void SubjectPublisher::Sender::on_reply(natsConnection*, natsSubscription*, natsMsg* msg, void* closure) noexcept {
    const Msg owner(msg);
    auto& shared = shared_of<Shared>(closure);
    const auto number = shared.inbox.number_of(*msg);
    if (!number) return;
    Acknowledgement ack;
    if (natsMsg_IsNoResponders(msg)) {
        ack.failure = "no stream has its subject";
    } else {
        ack = parse_acknowledgement(body_of(*msg));
    }
    const std::lock_guard lock(shared.mutex);
    if (ack.failure.empty()) {
        shared.order.stored(*number, std::move(ack.as));
    } else if (shared.broken.empty()) {
        shared.broken = ack.failure;
        shared.lasting = ack.lasting;
    }
    shared.changed.notify_one();
}

bool SubjectPublisher::Sender::wait_for_room(std::size_t bytes, int timeout_ms) {
    const bool many = bytes_since_empty_ + bytes > max_in_flight_bytes && bytes_since_empty_ > 0;
    return wait_for(many ? 0 : max_in_flight_messages - 1, timeout_ms);
}

void SubjectPublisher::Sender::publish(const std::string& subject, std::string_view body,
                                       const std::string& message_id) {
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(shared_->mutex);
        number = shared_->order.sent();
    }
    unsettled_.push_back({make_message(subject, shared_->inbox.reply_subject(number).c_str(), body), message_id, 0});
    send(unsettled_.back());
    bytes_since_empty_ += body.size();
}

void SubjectPublisher::Sender::send(const Sent& sent) {
    const std::string id = sent.attempt == 0 ? sent.id : sent.id + "#" + std::to_string(sent.attempt);
    check(natsMsgHeader_Set(sent.msg.get(), "Nats-Msg-Id", id.c_str()), "set a header");
    check(natsConnection_PublishMsg(link_->connection(), sent.msg.get()),
          std::string("publish to subject '") + natsMsg_GetSubject(sent.msg.get()) + "'");
}

bool SubjectPublisher::Sender::await_acks(int timeout_ms) { return wait_for(0, timeout_ms); }

// Waits in short steps, because nothing wakes us for a disconnect.
bool SubjectPublisher::Sender::wait_for(std::size_t unsettled, int timeout_ms) {
    constexpr std::chrono::milliseconds step(50);
    const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
    std::unique_lock lock(shared_->mutex);
    const StoreOrder& order = shared_->order;
    while (true) {
        const auto now = Clock::now();
        forget_settled();
        throw_on_failure(now);
        if (order.disordered() && order.all_answered()) {
            shared_->order.sent_again();
            lock.unlock();
            send_again();
            lock.lock();
        }
        if (order.unsettled() <= unsettled && !order.disordered()) return true;
        if (now >= deadline) return false;
        const std::uint64_t heard = order.acknowledged();
        shared_->changed.wait_until(lock, std::min(deadline, now + step),
                                    [&] { return order.acknowledged() != heard || !shared_->broken.empty(); });
    }
}

void SubjectPublisher::Sender::throw_on_failure(Clock::time_point now) {
    link_->require_open();
    std::string& broken = shared_->broken;
    for (const Sent& sent : unsettled_) {
        if (!link_->some_denied()) break;
        link_->check_permitted("publish changes to NATS", natsMsg_GetSubject(sent.msg.get()));
    }
    if (broken.empty() && link_->disconnects() != disconnects_) broken = "the connection to NATS was lost";
    const StoreOrder& order = shared_->order;
    if (order.all_answered() || order.acknowledged() != heard_) {
        heard_ = order.acknowledged();
        moved_at_ = now;
    } else if (broken.empty() && now - moved_at_ > ack_timeout) {
        broken = "an acknowledgement is missing";
    }
    if (broken.empty()) return;
    const std::string message = "unable to publish changes to NATS: " + broken;
    if (shared_->lasting) {
        throw stop_error(message,
                         "Raise max_msg_size of the stream that has the subjects of --nats-subject, or exclude the "
                         "column with a rule.");
    }
    throw retry_error(
        message,
        "Create a stream that has the subjects of --nats-subject (`nats stream add`), or raise the limits of the "
        "one that has them.");
}

void SubjectPublisher::Sender::forget_settled() {
    for (; first_ < shared_->order.first(); ++first_) unsettled_.pop_front();
    if (unsettled_.empty()) bytes_since_empty_ = 0;
}

void SubjectPublisher::Sender::send_again() {
    link_->log(LogLevel::warning,
               fmt::format("a change that was refused is now stored after later ones; publishing those {} again",
                           unsettled_.size()));
    for (Sent& sent : unsettled_) {
        ++sent.attempt;
        send(sent);
    }
}

SubjectPublisher::SubjectPublisher(std::shared_ptr<nats::Link> link)
    : sender_(std::make_unique<Sender>(std::move(link))) {}

SubjectPublisher::~SubjectPublisher() = default;

bool SubjectPublisher::wait_for_room(std::size_t bytes, int timeout_ms) {
    return sender_->wait_for_room(bytes, timeout_ms);
}

void SubjectPublisher::publish(const std::string& subject, std::string_view body, const std::string& message_id) {
    sender_->publish(subject, body, message_id);
}

bool SubjectPublisher::await_acks(int timeout_ms) { return sender_->await_acks(timeout_ms); }

}  // namespace pgsluice
