#include "cmd/http/stream_observation.h"

#include <utility>

#include "sql/error.h"

namespace pgsluice {

namespace {

constexpr std::chrono::seconds list_rhythm(10);  // listing a bucket's keys costs the server a consumer

}  // namespace

StreamObserver::StreamObserver(BrokerOptions nats, Names names) : nats_(std::move(nats)), names_(std::move(names)) {
    nats_.stop_grace_ms = 0;
    nats_.request_timeout_ms = 2000;
}

// The loop has its own connection, which says in the log what is wrong.
std::optional<StreamObservation> StreamObserver::look(const std::stop_token& stop) {
    try {
        if (!broker_) {
            broker_ = Broker::connect(
                nats_, [](LogLevel, std::string_view) {}, stop);
            registry_.emplace(*broker_, names_);
            next_list_ = {};
        }
        return ask();
    } catch (const Error&) {  // figures for people only
        registry_.reset();
        broker_.reset();
        return std::nullopt;
    }
}

StreamObservation StreamObserver::ask() {
    StreamObservation seen;
    seen.stream = broker_->stream_state(names_.stream);
    const auto letters = broker_->stream_state(names_.dead_letters);
    seen.dead_letters = letters ? letters->messages : 0;
    if (!seen.stream) return seen;
    seen.end = end_of(*seen.stream);
    seen.workers = workers();
    return seen;
}

Lsn StreamObserver::end_of(const StreamState& stream) {
    if (stream.last_seq == end_seq_) return end_;
    const auto last = broker_->last_message(names_.stream);
    if (!last) return end_;
    end_seq_ = last->seq;
    end_ = last->meta.safe_flush_lsn;
    return end_;
}

std::vector<WorkerEntry> StreamObserver::workers() {
    std::vector<std::string> unreadable;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_list_) return registry_->list(workers_, &unreadable);
    auto found = registry_->list(&unreadable);
    next_list_ = now + list_rhythm;
    workers_.clear();
    for (const auto& worker : found) workers_.push_back(worker.name);
    return found;
}

}  // namespace pgsluice
