#include "stream/nats/replies.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace pgsluice::nats {

namespace {

constexpr const char* doing = "wait for acknowledgements";

void on_complete(void* closure) noexcept { delete static_cast<std::shared_ptr<void>*>(closure); }

}  // namespace

// The library makes one of the connection's prefix only for itself.
std::string new_inbox(const Link& link) {
    natsInbox* made = nullptr;
    check(natsInbox_Create(&made), "create an inbox");
    const Inbox owner(made);
    const std::string_view name = made;
    const std::string& prefix = link.options().inbox_prefix;
    return prefix.empty() ? std::string(name) : prefix + std::string(name.substr(name.find('.')));
}

std::optional<std::uint64_t> ReplyInbox::number_of(natsMsg& reply) const {
    const std::string_view subject = natsMsg_GetSubject(&reply);
    const auto digits = subject.substr(std::min(prefix_.size(), subject.size()));
    std::uint64_t number = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return parsed.ec == std::errc() ? std::optional(number) : std::nullopt;
}

Subscription subscribe_replies(const Link& link, const std::string& subject, natsMsgHandler handler,
                               std::shared_ptr<void> shared) {
    auto owner = std::make_unique<std::shared_ptr<void>>(std::move(shared));
    natsSubscription* made = nullptr;
    check(natsConnection_Subscribe(&made, link.connection(), subject.c_str(), handler, owner.get()), doing);
    Subscription subscription(made, {&link});
    // From here on the library may call back, and only on_complete() marks the last call. If that cannot be set, the
    // closure leaks rather than being freed too early.
    auto* closure = owner.release();
    check(natsSubscription_SetOnCompleteCB(made, &on_complete, closure), doing);
    check(natsSubscription_SetPendingLimits(made, -1, -1), doing);
    return subscription;
}

Subscription subscribe_replies(const Link& link, const std::string& subject) {
    natsSubscription* made = nullptr;
    check(natsConnection_SubscribeSync(&made, link.connection(), subject.c_str()), doing);
    Subscription subscription(made, {&link});
    check(natsSubscription_SetPendingLimits(made, -1, -1), doing);
    return subscription;
}

// A connection that is closed is the caller's to notice; here it must only not be asked without a pause.
Msg next_reply(natsSubscription& subscription, std::int64_t timeout_ms) {
    std::uint64_t waiting = 0;
    const bool any = natsSubscription_QueuedMsgs(&subscription, &waiting) == NATS_OK && waiting > 0;
    if (timeout_ms == 0 && !any) return nullptr;
    natsMsg* made = nullptr;
    const auto status = natsSubscription_NextMsg(&made, &subscription, timeout_ms);
    if (status != NATS_OK && status != NATS_TIMEOUT) nats_Sleep(timeout_ms);
    return Msg(made);
}

}  // namespace pgsluice::nats
