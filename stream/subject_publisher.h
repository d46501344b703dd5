// Publishing to subjects of streams that are not ours: many messages in flight at a time, each with an id of its own.
//
// Not for our own stream, which needs a fence (publisher.h): here a message that may have been stored already is simply
// sent again, and its Nats-Msg-Id lets the server drop the second one (within the stream's duplicate_window). Where a
// message was refused while later ones were stored, those are stored once more after it, under the id with `#1` (or
// more) at its end: a stream may hold a message twice, but never ends with them in the wrong order.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace pgsluice {

namespace nats {
class Link;
}

class SubjectPublisher {
   public:
    explicit SubjectPublisher(std::shared_ptr<nats::Link> link);
    ~SubjectPublisher();

    // Waits until a message of this size may be sent without exceeding the limits in flight, at most this long; returns
    // whether it may. A retry Error when an earlier message was not stored or the connection was lost: it is then
    // unknown which are stored, and all since the last await_acks() must be published again, in the same order, through
    // a new publisher. A stop Error when one is larger than its stream accepts.
    bool wait_for_room(std::size_t bytes, int timeout_ms);
    // Copies the message and sends it without waiting: call it after wait_for_room() returned true. A retry Error when
    // it cannot be sent.
    void publish(const std::string& subject, std::string_view body, const std::string& message_id);
    // Waits until everything is stored, in each stream in the order of the calls, at most this long; true when it is.
    // Throws as wait_for_room() does.
    bool await_acks(int timeout_ms);

   private:
    class Sender;
    std::unique_ptr<Sender> sender_;
};

}  // namespace pgsluice
