// Frees messages that are no longer needed, many at a time.
//
// nats.c frees messages on a thread of its own and wakes it for each. When messages arrive one by one, that wake-up is
// a large part of the cost per message.
#pragma once

#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "stream/nats/connection/handle.h"

namespace pgsluice::nats {

// Calls may come from several threads at a time.
class MessageRecycler {
   public:
    void add(Msg msg) {
        std::vector<Msg> many;  // freed without the lock
        const std::lock_guard lock(mutex_);
        bytes_ += static_cast<std::size_t>(natsMsg_GetDataLength(msg.get()));
        kept_.push_back(std::move(msg));
        if (kept_.size() < max_kept && bytes_ < max_kept_bytes) return;
        many.swap(kept_);
        bytes_ = 0;
    }

   private:
    static constexpr std::size_t max_kept = 64;
    static constexpr std::size_t max_kept_bytes = 256 * 1024;

    std::mutex mutex_;
    std::vector<Msg> kept_;
    std::size_t bytes_ = 0;
};

}  // namespace pgsluice::nats
