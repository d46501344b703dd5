// Writing to a group's stream exactly once.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "sql/lsn.h"
#include "stream/message.h"

namespace pgsluice {

// One generation of writing: from a known last sequence until the first doubt. Every message is published
// asynchronously and fenced with the sequence expected before it; acknowledgements must come in with the predicted
// sequences. A wrong sequence, an error, a missing ack or a mere disconnect breaks the generation: every later call
// throws a retry Error, nothing is published any more, and the owner starts again from the stream's last message.
//
// A message larger than the server takes is sent in parts.
//
// A full stream does not break the generation. has_room() is then false and full() says why; whatever was refused is
// kept and tried again four times a second by every call below, until there is room. The owner goes on calling them
// (and giving feedback), and trims the stream.
//
// All calls come from one thread.
class Publisher {
   public:
    virtual ~Publisher() = default;

    // Whether publish() would return without waiting: bytes and messages in flight are below their limits.
    // Throws when the generation is broken; so call it also while there is nothing to send.
    [[nodiscard]] virtual bool has_room() = 0;
    // Waits until has_room(), at most this long; returns has_room().
    virtual bool wait_for_room(int timeout_ms) = 0;
    // What the broker said when it refused a message because the stream is full; empty when it is not.
    [[nodiscard]] virtual std::string full() { return {}; }
    // Copies and sends, or keeps it for sending when there is no room. Does not look at has_room(): the caller does, so
    // that it can go on giving feedback.
    // `copy` goes with kind copy.
    virtual void publish(const MessageMeta& meta, std::string_view body, const CopyHeader* copy = nullptr) = 0;
    // `safe_flush_lsn` of the last message that is stored together with all before it; nothing before the first ack.
    [[nodiscard]] virtual std::optional<Lsn> confirmed() = 0;
    // Messages not yet acknowledged, sent or kept for sending.
    [[nodiscard]] virtual std::uint64_t in_flight() = 0;
    // Sends what is buffered on the way and waits until nothing is in flight, at most this long; true when all is
    // acked.
    virtual bool await_acks(int timeout_ms) = 0;
};

}  // namespace pgsluice
