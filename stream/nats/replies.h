// Subscriptions to acknowledgements: which nats.c delivers on a thread of its own, or which are asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "stream/nats/link.h"

namespace pgsluice::nats {

// A subject that no other client has.
std::string new_inbox(const Link& link);

// Where acknowledgements arrive: message `number` names reply_subject(number) as its reply.
class ReplyInbox {
   public:
    explicit ReplyInbox(const Link& link) : prefix_(new_inbox(link) + ".") {}

    [[nodiscard]] std::string all_subjects() const { return prefix_ + "*"; }
    [[nodiscard]] std::string reply_subject(std::uint64_t number) const { return prefix_ + std::to_string(number); }
    // Of the message that an acknowledgement is for; nothing when it is for none.
    [[nodiscard]] std::optional<std::uint64_t> number_of(natsMsg& reply) const;

   private:
    std::string prefix_;
};

// Calls `handler` for every message on `subject`, without limits. `shared` is kept until nats.c has called back for the
// last time, which may be after the subscription is destroyed; shared_of() gets it from the handler's closure.
Subscription subscribe_replies(const Link& link, const std::string& subject, natsMsgHandler handler,
                               std::shared_ptr<void> shared);

// nats.c only keeps what comes, until it is asked for: no thread is woken for an acknowledgement that no one waits for.
Subscription subscribe_replies(const Link& link, const std::string& subject);
// The next one; null when none comes within the time (0: when none has come).
Msg next_reply(natsSubscription& subscription, std::int64_t timeout_ms);

template <typename Shared>
Shared& shared_of(void* closure) noexcept {
    return *static_cast<Shared*>(static_cast<std::shared_ptr<void>*>(closure)->get());
}

}  // namespace pgsluice::nats
