// Which messages are sent, stored or refused, and what may be sent next: the publisher's decisions, without network or
// clock. Messages are numbered from 0; message i must be stored with sequence last_seq + 1 + i.
//
// A full stream refuses the first message that does not fit ("full") and everything after it ("wrong last sequence"),
// because each message is fenced with the sequence expected before it. Nothing is lost: when no message is in flight,
// the first is retried from time to time, and when it is stored, the rest follows.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "sql/lsn.h"
#include "stream/position.h"

namespace pgsluice {

struct AckLimits {
    std::uint64_t max_in_flight_bytes = 0;
    std::uint64_t max_in_flight_messages = 0;
    std::chrono::milliseconds ack_timeout{0};
    std::chrono::milliseconds full_retry{250};
};

// What the broker answered to one message.
struct PublishReply {
    enum class Kind : std::uint8_t { stored, full, wrong_sequence, failed } kind = Kind::failed;
    StreamSeq seq;     // stored
    std::string text;  // the others: the broker's reason
};

class AckQueue {
   public:
    using Time = std::chrono::steady_clock::time_point;

    AckQueue(StreamSeq last_seq, AckLimits limits) : last_seq_(last_seq), limits_(limits) {}

    void push(std::uint64_t bytes, Lsn safe_flush_lsn);
    // The message to send now, which then counts as sent; nothing when none may be sent.
    std::optional<std::uint64_t> take_next(Time now);
    void reply(std::uint64_t index, const PublishReply& reply, Time now);
    // Breaks the generation when an ack has been missing for too long.
    void check_time(Time now);
    // The first reason given is kept.
    void break_off(std::string reason);

    // Why the generation is broken; empty when it is not.
    [[nodiscard]] const std::string& broken() const noexcept { return broken_; }
    [[nodiscard]] bool has_room() const noexcept;
    // The broker's reason while the stream is full; empty when it is not.
    [[nodiscard]] const std::string& full() const noexcept { return full_; }
    [[nodiscard]] std::optional<Lsn> confirmed() const noexcept { return confirmed_; }
    // The first message not known to be stored, and one past the last.
    [[nodiscard]] std::uint64_t first() const noexcept { return first_; }
    [[nodiscard]] std::uint64_t end() const noexcept { return first_ + entries_.size(); }
    // Of all between these two, sent or not.
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    // The sequence in message `index`'s fence.
    [[nodiscard]] StreamSeq expected_before(std::uint64_t index) const noexcept { return {last_seq_.value + index}; }

   private:
    enum class State : std::uint8_t { queued, sent, stored, full, refused };
    struct Entry {
        std::uint64_t bytes;
        Lsn safe_flush_lsn;
        State state;
        Time sent_at;
    };

    void remove_stored(Time now);
    void queue_all_again();

    StreamSeq last_seq_;
    AckLimits limits_;
    std::deque<Entry> entries_;
    std::uint64_t first_ = 0;  // index of entries_.front()
    std::uint64_t next_ = 0;   // the first that is queued
    std::uint64_t bytes_ = 0;
    std::uint64_t in_flight_bytes_ = 0;  // sent, and not answered
    std::uint64_t in_flight_messages_ = 0;
    std::optional<Lsn> confirmed_;
    std::string broken_;
    std::string full_;
    Time retry_at_;
    bool probing_ = false;  // the first is being retried, alone
};

}  // namespace pgsluice
