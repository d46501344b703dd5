#include "sinks/webhook/sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <random>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "sinks/delivers_again.h"
#include "sinks/leaves_out.h"
#include "sinks/lines/copy_notice.h"
#include "sinks/lines/json_line.h"
#include "sinks/lines/rfc3339.h"
#include "sinks/webhook/client.h"
#include "sinks/webhook/key_hash.h"
#include "sinks/webhook/lane.h"
#include "sinks/webhook/request_metrics.h"

namespace pgsluice {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t max_queued_bytes = 8U << 20U;
constexpr int poll_ms = 100;

class WebhookSink final : public Sink, public DeliversAgain, public LeavesOut {
   public:
    WebhookSink(const WebhookSinkOptions& options, Log log, std::stop_token stop, DeadLetters* dead_letters)
        : options_(options),
          log_(std::move(log)),
          stop_(std::move(stop)),
          dead_letters_(dead_letters),
          encoder_(make_line_encoder(options.format, options.group, options.share)),
          host_(webhook_host(options.url)),
          client_(options, static_cast<std::size_t>(options.concurrency)) {
        if (!options_.metrics) options_.metrics = std::make_shared<RequestMetrics>();
        for (int i = 0; i < options.concurrency; ++i) {
            lanes_.emplace_back(options.batch_size, options.retry_first_ms, options.retry_max_ms);
        }
    }

    [[nodiscard]] bool keeps_state() const override { return false; }
    std::optional<SinkState> open() override { return std::nullopt; }

    void resume(const SinkState& state) override {
        durable_ = state.checkpoint;
        loading_epoch_ = state.loading_epoch;
    }

    void deliver_again(std::uint64_t reload) override { reload_ = reload; }
    void leave_out(std::set<std::uint32_t> parts) override { left_out_ = std::move(parts); }

    void read_from(const GroupInfo& source) override { encoder_->set_database(source.dbname); }

    void while_waiting(std::function<void()> tell) override { tell_ = std::move(tell); }

    void begin_snapshot(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables,
                        const Checkpoint& upto) override {
        const SinkState state{durable_, loading_epoch_, {}};
        text_.clear();
        const std::string warning = notice_.begin(text_, *encoder_, begin, tables, state);
        if (is_within(state, begin)) return;
        loading_epoch_ = begin.epoch;
        await_answers();
        durable_ = upto;
        if (warning.empty()) return;
        log_(LogLevel::warning, warning);
        WebhookEvent event;
        event.key = {{begin.consistent_point, 0}, true, 0, options_.share};
        push(lanes_[0], event, text_);
        await_answers();
    }

    [[nodiscard]] bool takes_copy() const override { return false; }
    void copy(const CopyBlock& /*block*/) override { throw std::logic_error("the webhook sink takes no COPY text"); }

    void end_snapshot(const SnapshotEnd& /*end*/, const Checkpoint& upto) override {
        await_answers();
        loading_epoch_ = 0;
        durable_ = upto;
    }

    void apply(const Batch& batch) override {
        encoder_->set_time(now_unix_us());
        batch_ = &batch;
        batch_first_ = next_event_;
        change_of_.clear();
        parked_.reset();
        for (std::size_t i = 0; i < batch.changes.size(); ++i) add(batch.changes[i], i);
        if (batch.complete) marks_.push_back({next_event_, batch.upto});
        // A change to be parked must still be there: its values die with this call.
        if (options_.on_error == OnError::dead_letter) await_answers();
        batch_ = nullptr;
        step(0, false);
        advance_durable();
    }

    void flush() override { await_answers(); }
    [[nodiscard]] Checkpoint durable() const override { return durable_; }
    void close() override { await_answers(); }

   private:
    // `upto` is reached once all events below `end` are delivered.
    struct Mark {
        std::uint64_t end;
        Checkpoint upto;
    };

    void add(const Change& change, std::size_t index) {
        text_.clear();
        if (encoder_->append(text_, change) == 0) return;
        const auto hash = options_.concurrency > 1 ? keys_.of(change) : 0;
        if (!hash) await_answers();
        WebhookLane& lane = lanes_[hash ? *hash % lanes_.size() : 0];
        WebhookEvent event;
        event.key = {change.position, change.snapshot, first_part(change)};
        if (is_sent_by_every_share(change)) event.key.share = options_.share;
        for (std::string_view rest = text_; !rest.empty(); ++event.key.part) {
            const std::string_view object = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(object.size() + 1);
            if (left_out_.contains(event.key.part)) continue;
            change_of_.push_back(index);
            push(lane, event, object);
        }
        if (!hash) await_answers();
        if (lane.full() && !lane.busy()) step(0, false);
        while (queued_bytes_ > max_queued_bytes) wait(true);
    }

    void push(WebhookLane& lane, WebhookEvent event, std::string_view object) {
        if (object.ends_with('\n')) object.remove_suffix(1);
        event.number = next_event_++;
        event.key.reload = reload_;
        queued_bytes_ += object.size();
        lane.push(event, object);
    }

    // Until everything has been delivered.
    void await_answers() {
        while (!std::all_of(lanes_.begin(), lanes_.end(), [](const WebhookLane& lane) { return lane.empty(); }))
            wait(true);
        advance_durable();
    }

    void wait(bool partial) {
        if (stop_.stop_requested()) {
            if (!stopping_since_) stopping_since_ = Clock::now();
            if (Clock::now() - *stopping_since_ > std::chrono::milliseconds(options_.stop_grace_ms))
                throw Interrupted();
        }
        step(poll_ms, partial);
        advance_durable();
        if (tell_) tell_();
    }

    // Starts what may be started, moves data, and takes the outcomes that are there.
    void step(int timeout_ms, bool partial) {
        const Clock::time_point now = Clock::now();
        for (std::size_t i = 0; i < lanes_.size(); ++i) {
            WebhookLane& lane = lanes_[i];
            if (lane.busy() || lane.empty() || (!partial && !lane.full())) continue;
            if (lane.paused(now)) {
                const auto left = std::chrono::ceil<std::chrono::milliseconds>(lane.not_before() - now).count();
                timeout_ms = static_cast<int>(std::min<std::int64_t>(timeout_ms, left));
                continue;
            }
            const std::string_view body = lane.take();
            client_.start(i, body, lane.key());
        }
        client_.drive(timeout_ms,
                      [this](std::size_t i, HttpOutcome outcome) { conclude(lanes_[i], std::move(outcome)); });
    }

    void conclude(WebhookLane& lane, HttpOutcome outcome) {
        using Kind = HttpOutcome::Kind;
        options_.metrics->count(outcome.status, outcome.seconds);
        switch (outcome.kind) {
            case Kind::accepted:
                return delivered(lane);
            case Kind::retry:
                return repeat(lane, outcome);
            case Kind::failed:
                if (lane.count_attempt() < options_.max_attempts || options_.max_attempts == 0)
                    return repeat(lane, outcome);
                outcome.reason += fmt::format(", {} times", options_.max_attempts);
                return refused(lane, outcome);
            case Kind::too_large:
            case Kind::refused:
                return refused(lane, outcome);
            case Kind::broken:
                throw stop_error(
                    fmt::format("unable to post changes '{}' to '{}': {}", lane.key(), host_, outcome.reason),
                    "Give the authority that signed the receiver's certificate in --webhook-ca, and in --webhook-url a "
                    "name "
                    "that is in it.");
        }
    }

    void refused(WebhookLane& lane, const HttpOutcome& outcome) {
        const bool parks = options_.on_error == OnError::dead_letter && batch_ != nullptr;
        if (lane.in_flight() > 1 && (parks || outcome.kind == HttpOutcome::Kind::too_large)) return lane.halve();
        if (parks && lane.first().number >= batch_first_) return park(lane, outcome);
        throw stop_error(
            fmt::format("unable to post changes '{}' to '{}': {}", lane.key(), host_, outcome.reason),
            "Repair the receiver, or start the worker with --on-error dead-letter, which parks such changes.");
    }

    void delivered(WebhookLane& lane) {
        queued_bytes_ -= lane.accepted();
        say_if_over();
    }

    // Once no lane has anything to repeat: the receiver does as it should, or what it failed at is parked.
    void say_if_over() {
        const auto well = [](const WebhookLane& lane) { return lane.failures() == 0; };
        bool& said = options_.metrics->trouble_said;
        if (!said || !std::all_of(lanes_.begin(), lanes_.end(), well)) return;
        said = false;
        log_(LogLevel::info, fmt::format("'{}' accepts changes again", host_));
    }

    void repeat(WebhookLane& lane, const HttpOutcome& outcome) {
        const int wait_ms = lane.failed(static_cast<std::uint32_t>(random_()));
        if (outcome.retry_after_s > 0) {  // asked of one request, meant for all
            const auto until = Clock::now() + std::chrono::seconds(outcome.retry_after_s);
            for (WebhookLane& each : lanes_) each.pause_until(until);
        }
        if (Clock::now() < silent_until_) return;
        silent_until_ = Clock::now() + std::chrono::seconds(10);
        options_.metrics->trouble_said = true;
        log_(LogLevel::warning, fmt::format("unable to post to '{}': {}; retrying in {} ms", host_, outcome.reason,
                                            std::max(wait_ms, outcome.retry_after_s * 1000)));
    }

    void park(WebhookLane& lane, const HttpOutcome& outcome) {
        const std::size_t index = change_of_[lane.first().number - batch_first_];
        // A change of several events is parked once.
        if (parked_ != index) dead_letters_->park(batch_->changes[index], outcome.reason, reload_);
        parked_ = index;
        log_(LogLevel::warning, fmt::format("parked change '{}': {}", lane.key(), outcome.reason));
        queued_bytes_ -= lane.accepted();
    }

    void advance_durable() {
        std::uint64_t first_open = next_event_;
        for (const WebhookLane& lane : lanes_) {
            if (!lane.empty()) first_open = std::min(first_open, lane.first().number);
        }
        for (; !marks_.empty() && marks_.front().end <= first_open; marks_.pop_front()) durable_ = marks_.front().upto;
    }

    WebhookSinkOptions options_;
    Log log_;
    std::stop_token stop_;
    DeadLetters* dead_letters_;
    std::unique_ptr<LineEncoder> encoder_;
    std::string host_;
    std::vector<WebhookLane> lanes_;  // lane i posts on slot i
    WebhookClient client_;            // before the lanes' bodies in destruction
    KeyHash keys_;
    CopyNotice notice_{"posted"};
    std::string text_;
    std::uint64_t next_event_ = 0;
    std::size_t queued_bytes_ = 0;  // in all lanes
    std::deque<Mark> marks_;
    Checkpoint durable_;
    std::uint64_t loading_epoch_ = 0;
    std::uint64_t reload_ = 0;            // EventKey::reload
    std::set<std::uint32_t> left_out_;    // LeavesOut
    const Batch* batch_ = nullptr;        // being applied
    std::uint64_t batch_first_ = 0;       // its first event's number
    std::vector<std::size_t> change_of_;  // the change of each of its events
    std::optional<std::size_t> parked_;   // the change of the batch parked last
    std::function<void()> tell_;          // while we wait
    std::optional<Clock::time_point> stopping_since_;
    Clock::time_point silent_until_{};
    std::minstd_rand random_{std::random_device{}()};
};

}  // namespace

std::unique_ptr<Sink> make_webhook_sink(const WebhookSinkOptions& options, Log log, std::stop_token stop,
                                        DeadLetters* dead_letters) {
    return std::make_unique<WebhookSink>(options, std::move(log), std::move(stop), dead_letters);
}

}  // namespace pgsluice
