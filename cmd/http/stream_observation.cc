#include "cmd/http/stream_observation.h"

#include <fmt/format.h>

#include <exception>
#include <utility>

#include "sql/error.h"
#include "stream/health/gather.h"

namespace pgsluice {

namespace {

constexpr std::chrono::seconds rare_rhythm(3);
constexpr std::chrono::seconds list_rhythm(10);  // listing a bucket's keys costs the server a consumer

}  // namespace

StreamObserver::StreamObserver(BrokerOptions nats, Names names)
    : nats_(beside_data(std::move(nats), 2000, 0)), names_(std::move(names)) {}

// The loop has its own connection, which says in the log what is wrong.
void StreamObserver::connect(const std::stop_token& stop) {
    broker_ = Broker::connect(nats_, silent_log, stop);
    registry_.emplace(*broker_, names_);
    next_list_ = next_rare_ = {};
}

void StreamObserver::look(const std::stop_token& stop, const Log& log,
                          const std::function<void(std::optional<StreamObservation>)>& show) {
    try {
        show(see(stop));
        if (std::exchange(troubled_, false)) log(LogLevel::info, "the metrics are updated again");
    } catch (const std::exception& error) {
        if (!std::exchange(troubled_, true))
            log(LogLevel::warning, fmt::format("unable to update the metrics for now: {}", error.what()));
    }
}

std::optional<StreamObservation> StreamObserver::see(const std::stop_token& stop) {
    try {
        if (!registry_) connect(stop);
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
    if (seen.stream) {
        seen.end = end_of(*seen.stream);
        seen.workers = workers();
    }
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_rare_) {
        next_rare_ = now + rare_rhythm;
        ask_now_and_then();
    }
    seen.dead_letters = dead_letters_;
    if (seen.stream) seen.oldest_age = oldest_age(*seen.stream);
    seen.health = health_;
    return seen;
}

// What costs NATS more, or what this process' user may not have the right to: the workers' user needs none to the dead
// letters.
void StreamObserver::ask_now_and_then() {
    const auto if_permitted = [](const auto& question) {
        try {
            question();
        } catch (const Error& error) {
            if (error.action() == Action::retry) throw;
        }
    };
    dead_letters_.reset();
    health_.reset();
    if_permitted([this] {
        const auto letters = broker_->stream_state(names_.dead_letters);
        dead_letters_ = letters ? letters->messages : 0;
    });
    if_permitted([this] {
        GroupHealth health = gather_health(*broker_, names_, {});
        judge(health, {});
        health_ = std::move(health);
    });
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
