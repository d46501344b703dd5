// SubjectPublisher over nats.c.
//
// Acknowledgements arrive at one inbox, each with its message's number after the inbox's name. Messages are kept until
// they are known to be stored in order.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "stream/nats/link.h"
#include "stream/nats/store_order.h"
#include "stream/subject_publisher.h"

namespace pgsluice::nats {

class NatsSubjectPublisher : public SubjectPublisher {
   public:
    explicit NatsSubjectPublisher(std::shared_ptr<Link> link);

    bool wait_for_room(std::size_t bytes, int timeout_ms) override;
    void publish(const std::string& subject, std::string_view body, const std::string& message_id) override;
    bool await_acks(int timeout_ms) override;

   private:
    using Clock = std::chrono::steady_clock;

    // Used by the acknowledgement thread; lives until nats.c has called back for the last time.
    struct Shared {
        std::size_t inbox_size = 0;  // with the dot after it
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
    std::string inbox_;  // with a dot at its end
    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
    std::deque<Sent> unsettled_;
    std::uint64_t first_ = 0;              // number of unsettled_.front()
    std::uint64_t bytes_since_empty_ = 0;  // sent since the last time nothing was in flight
    std::uint64_t heard_ = 0;              // acknowledgements, when one was last seen
    Clock::time_point moved_at_{};         // when that was, or nothing was in flight
    Subscription subscription_;            // last: its callbacks use the others
};

}  // namespace pgsluice::nats
