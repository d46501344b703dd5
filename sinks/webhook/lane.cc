#include "sinks/webhook/lane.h"

#include <algorithm>

namespace pgsluice {

namespace {

// Requests accepted before twice as large ones are tried: what the receiver found too large it may well find so again.
constexpr int accepted_before_larger = 50;

}  // namespace

void WebhookLane::push(WebhookEvent event, std::string_view object) {
    event.bytes = object.size();
    events_.push_back(event);
    objects_ += object;
}

std::string_view WebhookLane::take() {
    in_flight_ = repeated_ > 0 ? repeated_ : std::min(events_.size(), limit_);
    body_.clear();
    if (batch_size_ > 1) body_ += '[';
    std::size_t at = head_;
    for (std::size_t i = 0; i < in_flight_; ++i) {
        if (i > 0) body_ += ',';
        body_.append(objects_, at, events_[i].bytes);
        at += events_[i].bytes;
    }
    if (batch_size_ > 1) body_ += ']';
    in_flight_bytes_ = at - head_;
    return body_;
}

std::string WebhookLane::key() const {
    const std::string first = to_string(events_.front().key);
    return in_flight_ < 2 ? first : first + ".." + to_string(events_[in_flight_ - 1].key);
}

std::size_t WebhookLane::accepted() {
    events_.erase(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(in_flight_));
    head_ += in_flight_bytes_;
    in_flight_ = repeated_ = 0;
    attempts_ = 0;
    if (limit_ < batch_size_ && ++accepted_ >= accepted_before_larger) {
        limit_ = std::min(batch_size_, limit_ * 2);
        accepted_ = 0;
    }
    backoff_.reset();
    if (head_ * 2 >= objects_.size()) {  // what is moved is never more than what was sent
        objects_.erase(0, head_);
        head_ = 0;
    }
    return in_flight_bytes_;
}

int WebhookLane::failed(std::uint32_t random) {
    repeated_ = in_flight_;
    in_flight_ = 0;
    const int wait_ms = static_cast<int>(jittered_ms(backoff_.next_ms(), random));
    pause_until(std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms));
    return wait_ms;
}

void WebhookLane::halve() {
    limit_ = std::max<std::size_t>(1, in_flight_ / 2);
    accepted_ = 0;
    attempts_ = 0;
    in_flight_ = repeated_ = 0;
}

}  // namespace pgsluice
