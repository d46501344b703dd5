// Reading a group's stream in order.
#pragma once

#include <optional>

#include "stream/message.h"

namespace pgsluice {

// Hands out the stream's messages from a given sequence on, each once, in order, with no gap; parts put together, an
// unfinished set of parts that a replicator's restart left behind thrown away. A hole in the sequences, a first
// sequence above the wanted one, or a stream that went backwards is a stop Error. Reconnects by itself for ever.
// One call at a time, from whatever thread; messages may be kept and used on any.
class Consumer {
   public:
    virtual ~Consumer() = default;

    // The next message; nothing when none came within the time: a stop is the caller's to look for in between.
    // timeout_ms 0: only what is already here.
    virtual std::optional<Message> next(int timeout_ms) = 0;
    // Whether next() would have something to work on at once.
    [[nodiscard]] virtual bool more() const = 0;
};

}  // namespace pgsluice
