// SubjectPublisher over nats.c. Include only from stream/*.cc.
//
// Acknowledgements come to one inbox and are only counted: when as many came as messages were sent, all are stored.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "stream/nats_link.h"
#include "stream/subject_publisher.h"

namespace pgsluice::nats {

class NatsSubjectPublisher : public SubjectPublisher {
   public:
    explicit NatsSubjectPublisher(std::shared_ptr<Link> link);

    bool wait_for_room(std::size_t bytes, int timeout_ms) override;
    void publish(const std::string& subject, std::string_view body, const std::string& message_id) override;
    bool drain(int timeout_ms) override;

   private:
    // What the thread of acknowledgements uses; lives until nats.c has called back for the last time.
    struct Shared {
        std::mutex mutex;
        std::condition_variable changed;
        std::uint64_t stored = 0;
        std::string broken;  // the first failure
    };
    static void on_reply(natsConnection*, natsSubscription*, natsMsg* msg, void* closure) noexcept;

    // Waits until at most this many messages are under way; false when the time is over.
    bool wait_for(std::uint64_t in_flight, int timeout_ms);

    std::shared_ptr<Link> link_;
    std::uint64_t disconnects_;
    std::string inbox_;
    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
    std::uint64_t sent_ = 0;
    std::uint64_t bytes_since_empty_ = 0;  // sent since the last time nothing was under way
    std::uint64_t seen_stored_ = 0;
    std::chrono::steady_clock::time_point
        moved_at_{};             // when an acknowledgement was last seen, or nothing was under way
    Subscription subscription_;  // last: its callbacks use the others
};

}  // namespace pgsluice::nats
