// Consumer over nats.c.
//
// Checks the sequences one by one. When a delivery is missing, heartbeats stop or the connection was lost, it creates a
// new consumer on the server from the next sequence, and checks the stream again.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "stream/consumer.h"
#include "stream/early_end.h"
#include "stream/format/body_encoding.h"
#include "stream/format/part_assembly.h"
#include "stream/nats/delivery.h"
#include "stream/nats/link.h"
#include "stream/nats/message_recycler.h"
#include "stream/nats/own_message.h"
#include "stream/nats/stall.h"
#include "stream/waits.h"

namespace pgsluice::nats {

class NatsConsumer : public Consumer {
   public:
    // The broker must outlive it. `check_format` throws a stop Error when the group's replicator is a later version,
    // whose messages may not be known here. Asked when one is met that looks like another program's.
    NatsConsumer(std::shared_ptr<Link> link, const Names& names, StreamSeq from, std::function<void()> check_format);

    std::optional<Message> next(int timeout_ms) override;
    [[nodiscard]] bool more() const override { return delivery_ && delivery_->waiting(); }

   private:
    void subscribe();
    bool may_be_catching_up(const jsStreamInfo& info);
    void is_caught_up();
    [[nodiscard]] bool last_is_same() const;
    // Throws when the next message is gone for good. False when the broker cannot be asked now.
    bool check_stream();
    void check_quiet_stream();
    void renew_if_stalled();
    void report_silence();
    // The message, unless it is a part that does not complete one, a repeat, or another program's.
    std::optional<Message> take(Delivered delivered);
    // The body as it was before it was encoded, and what keeps it: what was delivered is kept no longer than needed.
    // A stop Error where it cannot be read.
    PlainBody plain_body(Delivered delivered, const OwnMessage& own);
    // False when the messages missing before this one may still come.
    bool are_gone(const Delivered& delivered);
    // Nothing when another program wrote it.
    std::optional<OwnMessage> read(const Delivered& delivered);
    void check_sealed(const std::string& why) const;
    void skip(StreamSeq seq, const std::string& why);
    // A stop Error when there are too many.
    void count_stranded(const Delivered& delivered, std::uint64_t bytes);
    [[nodiscard]] Error gone(std::uint64_t first_seq) const;

    std::shared_ptr<Link> link_;
    Names names_;
    std::function<void()> check_format_;
    StreamSeq expected_;                 // the next sequence
    StreamSeq needed_;                   // no own message at or above it has been read
    bool missing_ = false;               // of the messages from there on, some were not in the stream
    std::optional<ParsedHeaders> last_;  // of the own message before `needed_`, once one has been read
    std::uint64_t skipped_ = 0;          // since it was said last
    std::chrono::steady_clock::time_point skipped_said_;
    std::int64_t created_ns_ = 0;  // when the stream was created
    std::chrono::steady_clock::time_point looked_at_;
    EarlyEnd early_;      // the stream ends before what we have read
    StreamSeq last_seq_;  // of the stream, at the last look
    Stall stall_;
    StreamSeq stall_said_;  // at which message
    Waits waits_;
    std::chrono::steady_clock::time_point sound_at_ = std::chrono::steady_clock::now();  // the delivery, the last time
    BodyDecoder decoder_;
    PartAssembly parts_;
    // Own messages that continue one which is not, since an own one was read that does not.
    struct Stranded {
        std::uint64_t messages = 0;
        std::uint64_t bytes = 0;
        std::int64_t since_ns = 0;  // stored
    } stranded_;
    bool passes_parts_ = false;         // of a set that is too large
    std::optional<Delivery> delivery_;  // nothing: must be created again
    std::shared_ptr<MessageRecycler> spent_ = std::make_shared<MessageRecycler>();
};

}  // namespace pgsluice::nats
