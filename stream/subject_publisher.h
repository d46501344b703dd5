// Publishing to subjects of somebody else's streams: many messages under way at a time, each known by an id of its own.
//
// Not for our own stream, which needs a fence (publisher.h): here a message that may have been stored already is simply
// sent again, and its Nats-Msg-Id lets the server drop the second one (within the stream's duplicate_window). Where a
// message was refused while later ones were stored, those are stored once more behind it, under the id with `#1` (or
// more) at its end: a stream may hold a message twice, but never ends with them in the wrong order.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgsluice {

class SubjectPublisher {
   public:
    virtual ~SubjectPublisher() = default;

    // Waits until a message of this size may be sent without too much being under way, at most this long; whether it
    // may. A retry Error when an earlier message was not stored or the connection was lost: then nobody knows which
    // are, and all since the last await_acks() are to be published again, in the same order, through a new publisher. A
    // stop Error when one is larger than its stream takes.
    virtual bool wait_for_room(std::size_t bytes, int timeout_ms) = 0;
    // Copies and sends, without waiting: call it when wait_for_room() has said yes. A retry Error when it cannot be
    // sent.
    virtual void publish(const std::string& subject, std::string_view body, const std::string& message_id) = 0;
    // Waits until everything is stored, in each stream in the order of the calls, at most this long; true when it is.
    // Throws as wait_for_room() does.
    virtual bool await_acks(int timeout_ms) = 0;
};

}  // namespace pgsluice
