#include "stream/nats/store_order.h"

#include <utility>

namespace pgsluice {

std::uint64_t StoreOrder::sent() {
    acks_.emplace_back();
    return first_ + acks_.size() - 1;
}

void StoreOrder::stored(std::uint64_t number, StoredAs as) {
    if (number < first_ || number - first_ >= acks_.size() || acks_[number - first_]) return;
    acks_[number - first_] = std::move(as);
    ++answered_;
    ++acknowledged_;
    settle();
}

// A message that is no duplicate was stored just now, at the stream's end, also when its sequences restart.
void StoreOrder::settle() {
    while (!disordered_ && !acks_.empty() && acks_.front()) {
        const StoredAs& as = *acks_.front();
        std::uint64_t& last = last_[as.stream];
        disordered_ = as.duplicate && as.seq < last;
        if (disordered_) return;
        last = as.seq;
        acks_.pop_front();
        ++first_;
        --answered_;
    }
}

void StoreOrder::sent_again() {
    for (auto& ack : acks_) ack.reset();
    answered_ = 0;
    disordered_ = false;
}

}  // namespace pgsluice
