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
// asynchronously and fenced with the sequence expected before it; the acknowledgements must have the predicted
// sequences. A wrong sequence, an error, a missing ack or even a disconnect breaks the generation: every later call
// throws a retry Error, nothing more is published, and the owner starts again from the stream's last message.
//
// A message larger than the server accepts is sent in parts.
//
// A full stream does not break the generation. has_room() is then false and full() says why; refused messages are kept
// and retried by every call below, four times a second, until there is room. The owner keeps calling them (and sending
// feedback), and trims the stream.
//
// All calls come from one thread.
class Publisher {
   public:
    virtual ~Publisher() = default;

    // Whether publish() would return without waiting: bytes and messages in flight are below their limits.
    // Throws when the generation is broken, so call it also while there is nothing to send.
    [[nodiscard]] virtual bool has_room() = 0;
    // Waits until has_room(), at most this long; returns has_room().
    virtual bool wait_for_room(int timeout_ms) = 0;
    // The broker's reason while it refuses messages because the stream is full; empty when it is not.
    [[nodiscard]] virtual std::string full() { return {}; }
    // Copies the message and sends it, or queues it when there is no room. Does not check has_room(): the caller does,
    // so that it can keep sending feedback. `copy` is for kind copy.
    virtual void publish(const MessageMeta& meta, std::string_view body, const CopyHeader* copy = nullptr) = 0;
    // `safe_flush_lsn` of the last message that is stored, as are all before it; nothing before the first ack.
    [[nodiscard]] virtual std::optional<Lsn> confirmed() = 0;
    // Messages not yet acknowledged, sent or queued.
    [[nodiscard]] virtual std::uint64_t in_flight() = 0;
    // Bytes of these, with their headers; for people.
    [[nodiscard]] virtual std::uint64_t in_flight_bytes() { return 0; }
    // Sends what is queued and waits until nothing is in flight, at most this long; true when everything is acked.
    virtual bool await_acks(int timeout_ms) = 0;
};

}  // namespace pgsluice
