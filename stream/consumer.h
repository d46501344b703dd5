// Reading a group's stream in order.
#pragma once

#include <optional>

#include "stream/message.h"

namespace pgsluice {

// Returns the stream's messages from a given sequence on, each once, in order, without a gap. Parts are put together;
// an incomplete set of parts, left by a replicator that restarted, is discarded. A hole in the sequences, a first
// sequence above the wanted one, or a stream that went backwards is a stop Error. Reconnects forever. One call at a
// time, from any thread; messages may be kept and used on any thread.
class Consumer {
   public:
    virtual ~Consumer() = default;

    // The next message; nothing when none came within the time. The caller looks for a stop between calls.
    // timeout_ms 0: only what has already arrived.
    virtual std::optional<Message> next(int timeout_ms) = 0;
    // Whether something has arrived that next() has not taken.
    [[nodiscard]] virtual bool more() const = 0;
};

}  // namespace pgsluice
