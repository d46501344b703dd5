// Subscriptions to acknowledgements, which nats.c delivers on a thread of its own.
#pragma once

#include <memory>
#include <string>

#include "stream/nats/link.h"

namespace pgsluice::nats {

// Calls `handler` for every message on `subject`, without limits. `shared` is kept until nats.c has called back for the
// last time, which may be after the subscription is destroyed; shared_of() gets it from the handler's closure.
Subscription subscribe_replies(const Link& link, const std::string& subject, natsMsgHandler handler,
                               std::shared_ptr<void> shared);

template <typename Shared>
Shared& shared_of(void* closure) noexcept {
    return *static_cast<Shared*>(static_cast<std::shared_ptr<void>*>(closure)->get());
}

}  // namespace pgsluice::nats
