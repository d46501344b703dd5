// Publisher over nats.c.
//
// Messages carry their number in the reply subject, so an acknowledgement is matched without a search. nats.c delivers
// acknowledgements on a thread of its own, which touches only the AckQueue; only the owner's thread uses the messages.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "stream/format/headers.h"
#include "stream/nats/ack_queue.h"
#include "stream/nats/link.h"
#include "stream/nats/message_recycler.h"
#include "stream/nats/replies.h"
#include "stream/publisher.h"
#include "stream/seal/sealed_body.h"

namespace pgsluice::nats {

// What the stream ends with.
struct PublisherStart {
    StreamSeq last_seq;
    MessageMeta last;                  // of the replicator's last message
    std::optional<StreamSeq> follows;  // that message, where it is not `last_seq`
};

class NatsPublisher : public Publisher {
   public:
    NatsPublisher(std::shared_ptr<Link> link, const Names& names, const PublisherStart& start,
                  const PublisherLimits& limits);
    ~NatsPublisher() override;

    [[nodiscard]] bool has_room() override;
    bool wait_for_room(int timeout_ms) override;
    [[nodiscard]] std::string full() override;
    void publish(const MessageMeta& meta, std::string_view body, const CopyHeader* copy) override;
    [[nodiscard]] std::optional<Lsn> confirmed() override;
    [[nodiscard]] std::uint64_t in_flight() override;
    [[nodiscard]] std::uint64_t in_flight_bytes() override;
    bool await_acks(int timeout_ms) override;

   private:
    // Used by the acknowledgement thread; lives until nats.c has called back for the last time.
    struct Shared {
        Shared(const Link& link, StreamSeq last_seq, const AckLimits& limits) : queue(last_seq, limits), inbox(link) {}
        std::mutex mutex;
        std::condition_variable changed;
        AckQueue queue;
        const ReplyInbox inbox;
        MessageRecycler spent;
    };
    static void on_reply(natsConnection*, natsSubscription*, natsMsg* msg, void* closure) noexcept;

    void add(const MessageMeta& meta, std::string_view body, const CopyHeader* copy, MessagePart part);
    // The sequence that message `index` will have.
    [[nodiscard]] StreamSeq next_seq(std::uint64_t index) const;
    // Sends what may be sent now and frees what is stored. Throws when the generation is broken.
    void pump();
    void send(std::uint64_t index);
    void say_full(const std::string& reason);
    void say_room();
    [[noreturn]] void throw_broken(const std::string& reason) const;
    template <typename Done>
    bool wait_until(int timeout_ms, Done done);

    std::shared_ptr<Link> link_;
    Names names_;
    MessageMeta last_;                  // of the last complete message
    std::optional<StreamSeq> follows_;  // for the next message: the first names what it continues
    std::uint64_t disconnects_;
    std::shared_ptr<Shared> shared_;
    Subscription subscription_;
    std::deque<Msg> messages_;      // not known to be stored
    std::uint64_t first_ = 0;       // the number of messages_.front()
    AckQueue::Time full_said_;      // when the log last said that it is full; 0: it has room
    AckQueue::Time full_at_;        // when it last was
    std::optional<Sealer> sealer_;  // where the stream is sealed
    std::string run_;               // of this publisher, as in its messages
};

}  // namespace pgsluice::nats
