// Changes waiting to be posted in order: one request of a lane is in flight at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "sinks/lines/event_key.h"
#include "stream/base/backoff.h"
#include "stream/position.h"

namespace pgsluice {

// One JSON object to be posted.
struct WebhookEvent {
    std::uint64_t number = 0;  // of all events, counted by the sink
    EventKey key;
    std::size_t bytes = 0;
};

class WebhookLane {
   public:
    WebhookLane(std::size_t batch_size, int first_retry_ms, int max_retry_ms)
        : batch_size_(batch_size), limit_(batch_size), backoff_(first_retry_ms, max_retry_ms) {}

    void push(WebhookEvent event, std::string_view object);

    // Makes the body of the next request: one object, or an array when the lane's batch size is above 1. It stays until
    // the outcome has been reported.
    std::string_view take();
    // The key of the request in flight: its event's, or the first and the last one's.
    [[nodiscard]] std::string key() const;
    [[nodiscard]] const WebhookEvent& first() const { return events_.front(); }

    // The request in flight was taken, or its only event parked. The bytes of its objects.
    std::size_t accepted();
    // It is to be repeated unchanged, whatever has come meanwhile, after the wait that is returned (ms).
    int failed(std::uint32_t random);
    // The receiver failed at it: how often, of this request.
    int count_attempt() { return ++attempts_; }
    // It is to be repeated in two halves.
    void halve();
    void pause_until(std::chrono::steady_clock::time_point when) { not_before_ = std::max(not_before_, when); }

    [[nodiscard]] bool busy() const noexcept { return in_flight_ > 0; }
    [[nodiscard]] bool empty() const noexcept { return events_.empty(); }
    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
    // Whether the next request is complete: nothing that comes changes it.
    [[nodiscard]] bool full() const noexcept { return repeated_ > 0 || events_.size() >= limit_; }
    [[nodiscard]] bool paused(std::chrono::steady_clock::time_point now) const { return now < not_before_; }
    [[nodiscard]] std::chrono::steady_clock::time_point not_before() const noexcept { return not_before_; }
    [[nodiscard]] int failures() const noexcept { return backoff_.failures(); }

   private:
    std::size_t batch_size_;
    std::size_t limit_;    // events per request now; smaller while the receiver finds requests too large
    int accepted_ = 0;     // requests in a row at that limit
    std::string objects_;  // of all events, back to back, from head_
    std::size_t head_ = 0;
    std::deque<WebhookEvent> events_;
    std::size_t in_flight_ = 0;        // events
    std::size_t repeated_ = 0;         // events of a request that failed and is to be repeated; 0: none
    std::size_t in_flight_bytes_ = 0;  // their objects
    int attempts_ = 0;                 // counted of the request in flight, or to be repeated
    std::string body_;
    Backoff backoff_;
    std::chrono::steady_clock::time_point not_before_{};
};

}  // namespace pgsluice
