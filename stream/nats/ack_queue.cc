#include "stream/nats/ack_queue.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgsluice {

void AckQueue::push(std::uint64_t bytes, Lsn safe_flush_lsn) {
    entries_.push_back({bytes, safe_flush_lsn, State::queued, {}});
    bytes_ += bytes;
}

std::optional<std::uint64_t> AckQueue::take_next(Time now) {
    if (!broken_.empty()) return std::nullopt;
    if (!full_.empty()) {
        if (in_flight_messages_ != 0 || now < retry_at_) return std::nullopt;
        if (!probing_) queue_all_again();
    }
    if (next_ == end() || (probing_ && next_ != first_)) return std::nullopt;
    auto& entry = entries_[next_ - first_];
    const bool fits = in_flight_messages_ < limits_.max_in_flight_messages &&
                      in_flight_bytes_ + entry.bytes <= limits_.max_in_flight_bytes;
    if (!fits && in_flight_messages_ != 0) return std::nullopt;
    entry.state = State::sent;
    entry.sent_at = now;
    in_flight_bytes_ += entry.bytes;
    ++in_flight_messages_;
    return next_++;
}

void AckQueue::reply(std::uint64_t index, const PublishReply& reply, Time now) {
    if (!broken_.empty() || index < first_ || index >= next_) return;
    auto& entry = entries_[index - first_];
    if (entry.state != State::sent) return;
    in_flight_bytes_ -= entry.bytes;
    --in_flight_messages_;
    switch (reply.kind) {
        case PublishReply::Kind::stored:
            if (reply.seq.value != expected_before(index).value + 1) {
                break_off(fmt::format("a message was stored with sequence {} instead of {}", reply.seq.value,
                                      expected_before(index).value + 1));
                return;
            }
            entry.state = State::stored;
            break;
        case PublishReply::Kind::full:
            entry.state = State::full;
            full_ = reply.text.empty() ? "no reason given" : reply.text;
            break;
        case PublishReply::Kind::wrong_sequence:
            entry.state = State::refused;
            break;
        case PublishReply::Kind::failed:
            break_off(reply.text);
            return;
    }
    remove_stored(now);
}

// Removes stored messages from the front and checks the one that is then first.
void AckQueue::remove_stored(Time now) {
    while (!entries_.empty() && entries_.front().state == State::stored) {
        confirmed_ = entries_.front().safe_flush_lsn;
        bytes_ -= entries_.front().bytes;
        entries_.pop_front();
        ++first_;
        if (probing_) full_.clear();
        probing_ = false;
    }
    if (entries_.empty()) return;
    if (entries_.front().state == State::refused) {
        break_off(fmt::format("the stream's last message is no longer {}: another client has written to it",
                              expected_before(first_).value));
    } else if (entries_.front().state == State::full) {
        probing_ = false;
        retry_at_ = now + limits_.full_retry;
    }
}

// Queues every message again, the first one to be sent alone.
void AckQueue::queue_all_again() {
    for (auto& entry : entries_) {
        if (entry.state == State::stored) {
            break_off("a message was stored after one that was refused");
            return;
        }
        entry.state = State::queued;
    }
    next_ = first_;
    probing_ = true;
}

void AckQueue::check_time(Time now) {
    if (in_flight_messages_ == 0) return;
    const auto oldest =
        std::find_if(entries_.begin(), entries_.end(), [](const Entry& entry) { return entry.state == State::sent; });
    if (oldest != entries_.end() && now - oldest->sent_at > limits_.ack_timeout) {
        break_off(fmt::format("no acknowledgement within {} ms", limits_.ack_timeout.count()));
    }
}

void AckQueue::break_off(std::string reason) {
    if (broken_.empty()) broken_ = reason.empty() ? "unknown reason" : std::move(reason);
}

bool AckQueue::has_room() const noexcept {
    return broken_.empty() && full_.empty() && next_ == end() && in_flight_messages_ < limits_.max_in_flight_messages &&
           in_flight_bytes_ < limits_.max_in_flight_bytes;
}

}  // namespace pgsluice
