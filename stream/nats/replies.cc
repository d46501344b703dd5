#include "stream/nats/replies.h"

namespace pgsluice::nats {

namespace {

constexpr const char* doing = "wait for acknowledgements";

void on_complete(void* closure) noexcept { delete static_cast<std::shared_ptr<void>*>(closure); }

}  // namespace

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

}  // namespace pgsluice::nats
