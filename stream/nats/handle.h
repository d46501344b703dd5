// Owners for what nats.c hands out, and its errors as ours. Include only from stream/*.cc: it brings nats.h in.
#pragma once

#include <fmt/format.h>
#include <nats/nats.h>

#include <memory>
#include <string>
#include <string_view>

#include "sql/error.h"

namespace pgsluice::nats {

template <auto destroy>
struct Destroy {
    template <typename T>
    void operator()(T* handle) const noexcept {
        destroy(handle);
    }
};

using Options = std::unique_ptr<natsOptions, Destroy<natsOptions_Destroy>>;
using Connection = std::unique_ptr<natsConnection, Destroy<natsConnection_Destroy>>;
using JetStream = std::unique_ptr<jsCtx, Destroy<jsCtx_Destroy>>;
using Msg = std::unique_ptr<natsMsg, Destroy<natsMsg_Destroy>>;
using StreamInfo = std::unique_ptr<jsStreamInfo, Destroy<jsStreamInfo_Destroy>>;
using ConsumerInfo = std::unique_ptr<jsConsumerInfo, Destroy<jsConsumerInfo_Destroy>>;
using AccountInfo = std::unique_ptr<jsAccountInfo, Destroy<jsAccountInfo_Destroy>>;
using PubAck = std::unique_ptr<jsPubAck, Destroy<jsPubAck_Destroy>>;
using KvStore = std::unique_ptr<kvStore, Destroy<kvStore_Destroy>>;
using KvEntry = std::unique_ptr<kvEntry, Destroy<kvEntry_Destroy>>;
using Inbox = std::unique_ptr<natsInbox, Destroy<natsInbox_Destroy>>;

// The error to throw for a failed call: `unable to <doing>: <reason>`. Retry when the connection or the cluster was the
// reason, stop when somebody has to change something.
Error error(std::string_view doing, natsStatus status, int js_error = 0);

// What the broker said about the last failed call of this thread.
std::string last_error(natsStatus status);

inline void check(natsStatus status, std::string_view doing, int js_error = 0) {
    if (status != NATS_OK) throw error(doing, status, js_error);
}

}  // namespace pgsluice::nats
