// A stream's messages as the server pushes them, until the first doubt. Include only from stream/*.cc.
//
// An ephemeral push consumer without acknowledgements, in the server's memory, and the subscription it delivers to.
// Nothing in here repairs itself: when a delivery is missing or heartbeats stay away it says broken(), and its owner
// makes another from the sequence it goes on from. (nats.c's own ordered consumer repairs itself from a thread of its
// own, which raced with us after a reconnect.)
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
    bool first = false;  // of this consumer: then nothing between it and the start is stored
};

class Delivery {
   public:
    // From this sequence on. Throws when the server does not make a consumer. `link` must outlive it.
    Delivery(const Link& link, const std::string& stream, StreamSeq from);
    ~Delivery();
    Delivery(const Delivery&) = delete;
    Delivery& operator=(const Delivery&) = delete;

    // The next message; nothing when none came within the time (0: only what is already here), or when it is broken.
    std::optional<Delivered> next(int timeout_ms);
    // Something has come that next() has not taken.
    [[nodiscard]] bool waiting() const;
    // Deliveries are missing, the server has not been heard of for too long, or the connection was lost meanwhile.
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
    std::chrono::steady_clock::time_point heard_;  // when the server last sent anything
};

}  // namespace pgsluice::nats
