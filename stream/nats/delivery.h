// A stream's messages as the server pushes them, until the first doubt.
//
// An ephemeral push consumer without acknowledgements, in the server's memory, and the subscription it delivers to.
// It does not repair itself: when a delivery is missing or heartbeats stop, broken() is true, and the owner creates
// another from the next sequence. (nats.c's ordered consumer repairs itself from a thread of its own, which raced with
// us after a reconnect.)
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "stream/nats/link.h"
#include "stream/position.h"

namespace pgsluice::nats {

struct Delivered {
    Msg msg;
    StreamSeq seq;
    std::int64_t stored_ns = 0;  // when, since 1970, by the server's clock
    bool first = false;          // of this consumer: nothing is stored between the start and this message
};

class Delivery {
   public:
    // From this sequence on. Throws when the server cannot create the consumer. `link` must outlive it.
    Delivery(const Link& link, const std::string& stream, StreamSeq from);
    ~Delivery();
    Delivery(const Delivery&) = delete;
    Delivery& operator=(const Delivery&) = delete;

    // The next message; nothing when none came within the time (0: only what has already arrived), or when it is
    // broken.
    std::optional<Delivered> next(int timeout_ms);
    // Something has arrived that next() has not taken.
    [[nodiscard]] bool waiting() const;
    // Deliveries are missing, the server has been silent for too long, or the connection was lost since.
    [[nodiscard]] bool broken() const;

   private:
    void subscribe();
    void make_consumer(const std::string& stream, StreamSeq from);
    void control(natsMsg& msg);
    void answer(const char* subject);

    const Link& link_;
    std::uint64_t disconnects_;
    std::string inbox_;
    Subscription subscription_;
    std::string delete_subject_;   // of the consumer
    std::uint64_t delivered_ = 0;  // the consumer's count of the last one taken
    bool lost_ = false;
    std::chrono::steady_clock::time_point heard_;  // when the server last sent something
};

}  // namespace pgsluice::nats
