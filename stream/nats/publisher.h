// Publisher over nats.c.
//
// Messages carry their number in the reply subject, so an acknowledgement is matched without a search. nats.c keeps
// acknowledgements until the owner's thread, which does everything here, takes them: to have them handed over by
// another thread cost two wake-ups a message, on the processors that deliver it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "stream/format/body_encoding.h"
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
    int zstd_level = 0;                // that bodies are compressed with; 0: they are not
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
    void take_replies();
    void take_reply(Msg msg);
    void add(const MessageMeta& meta, std::string_view body, const CopyHeader* copy, MessagePart part);
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
    AckQueue queue_;
    const ReplyInbox inbox_;
    Subscription subscription_;
    MessageRecycler spent_;
    std::deque<Msg> messages_;            // not known to be stored
    std::uint64_t first_ = 0;             // the number of messages_.front()
    AckQueue::Time full_said_;            // when the log last said that it is full; 0: it has room
    AckQueue::Time full_at_;              // when it last was
    std::optional<BodyEncoder> encoder_;  // where bodies are compressed
    std::optional<Sealer> sealer_;        // where the stream is sealed
    std::string run_;                     // of this publisher, as in its messages
};

}  // namespace pgsluice::nats
