// Owners for the handles of nats.c, and its errors as ours.
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

// The error to throw for a failed call: `unable to <doing>: <reason>`. Action retry when the connection or the cluster
// was the reason, stop when someone must change something.
Error error(std::string_view doing, natsStatus status, int js_error = 0);

// The reason for this thread's last failed call, without the library's source position.
std::string last_error(natsStatus status);

// "(conn.c:2088): No server available" without the part in brackets, which nats.c puts in front.
std::string_view without_source_position(std::string_view text);

inline void check(natsStatus status, std::string_view doing, int js_error = 0) {
    if (status != NATS_OK) throw error(doing, status, js_error);
}

}  // namespace pgsluice::nats
