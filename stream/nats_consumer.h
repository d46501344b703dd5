// Consumer over nats.c's ordered push consumer. Include only from stream/*.cc.
//
// nats.c makes a new consumer on the server when it finds that deliveries are missing. After a reconnect that would
// take its heartbeat's time, and before the first message it would start at sequence 1; so we subscribe anew ourselves
// after every reconnect, having looked at the stream first. Whatever nats.c does, sequences are checked here one by
// one.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>

#include "stream/consumer.h"
#include "stream/nats_link.h"
#include "stream/part_assembly.h"

namespace pgsluice::nats {

class NatsConsumer : public Consumer {
   public:
    NatsConsumer(std::shared_ptr<Link> link, const Names& names, StreamSeq from, std::stop_token stop);

    std::optional<Message> next(int timeout_ms) override;

   private:
    void subscribe();
    // Whether what we go on from is still there. False when the broker cannot be asked now.
    bool check_stream();
    void look_after();
    // The message, unless it is a part that does not complete one or a repeat.
    std::optional<Message> take(Msg msg);
    [[nodiscard]] Error gone(std::uint64_t first_seq) const;
    Msg receive(int timeout_ms);

    std::shared_ptr<Link> link_;
    Names names_;
    std::stop_token stop_;
    StreamSeq expected_;             // the next sequence
    std::int64_t created_ns_ = 0;    // when the stream was created
    std::uint64_t disconnects_ = 0;  // as of the last subscribe()
    std::chrono::steady_clock::time_point looked_at_;
    PartAssembly parts_;
    Subscription subscription_;
};

}  // namespace pgsluice::nats
