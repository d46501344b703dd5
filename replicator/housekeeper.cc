#include "replicator/housekeeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "replicator/replicator_metrics.h"
#include "replicator/retention.h"
#include "sql/error.h"
#include "stream/base/pause.h"
#include "stream/base/quiet_rhythm.h"
#include "stream/group/copy_request.h"
#include "stream/group/registry.h"

namespace pgsluice {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto busy_rhythm = 500ms;
constexpr auto quiet_rhythm = 4s;  // once nothing has moved for a while
constexpr auto quiet_after = 10s;
constexpr auto list_rhythm = 5s;
constexpr int rounds_until_stuck = 10;  // 5 s in which nothing moved
constexpr const char* waiting_key = "waiting";
constexpr auto full_rhythm = 10s;  // how often the log says what a full stream waits for

bool is_nearly_full(const StreamState& stream) {
    return stream.max_bytes > 0 && stream.bytes >= static_cast<std::uint64_t>(stream.max_bytes) / 10 * 9;
}

bool may_lose(const StreamState& stream) {
    return stream.max_age_ns != 0 || !stream.discard_new || stream.limits_messages;
}

// One session with the broker; ends with an exception when it goes away.
class Rounds {
   public:
    Rounds(const ReplicatorOptions& options, const Log& log, std::atomic<std::uint64_t>& applied,
           std::atomic<bool>& stuck, std::atomic<bool>& loses, std::atomic<bool>& copies_requested,
           const std::atomic<bool>& refused, const std::stop_token& stop)
        : options_(options),
          log_(log),
          said_(options.activity->housekeeping),
          applied_(applied),
          stuck_(stuck),
          loses_(loses),
          copies_requested_(copies_requested),
          refused_(refused),
          // What is done here can be done at any other time: a stop need not wait for it.
          broker_(Broker::connect(beside_data(options.nats, options.nats.request_timeout_ms, 0), silent_log, stop)),
          registry_(*broker_, options.names),
          retention_(std::chrono::milliseconds(options.stream_retain_ms)) {}

    // Whether anything has moved since the round before.
    bool go_round() {
        const auto now = Clock::now();
        const auto stream = broker_->stream_state(options_.names.stream);
        if (!stream) return true;
        if (may_lose(*stream)) loses_ = true;
        show_waiting();
        copies_requested_ = !find_copy_request(*broker_, options_.names).tables.empty();
        auto workers = registered(now);
        if (applied_by(workers) > Lsn{applied_.load()} || retention_.trim_before(*stream, workers, now, refused_)) {
            next_list_ = now;  // not without having asked for workers that have just come
            workers = registered(now);
            applied_ = std::max(applied_.load(), applied_by(workers).value);  // from messages that may be trimmed now
            if (const auto keep = retention_.trim_before(*stream, workers, now, refused_)) {
                broker_->trim(options_.names.stream, *keep);
            }
        }
        rounds_stuck_ = holds_one_transaction(*stream, workers) ? rounds_stuck_ + 1 : 0;
        stuck_ = rounds_stuck_ >= rounds_until_stuck;
        const bool full = refused_ || is_nearly_full(*stream);
        if (full && now >= said_.full_again) {
            said_.full_again = now + full_rhythm;
            tell_full(*stream, workers);
        }
        if (!full && said_.full) tell_room(*stream);
        said_.full = full;
        Found found{stream->first_seq, stream->last_seq, {}};
        for (const WorkerEntry& worker : workers) found.workers.push_back(worker.durable);
        return full || !shown_waiting_->empty() || std::exchange(found_, found) != found;
    }

   private:
    struct Found {
        StreamSeq first_seq;
        StreamSeq last_seq;
        std::vector<Checkpoint> workers;
        bool operator==(const Found&) const = default;
    };
    // For people, in the key `waiting`, which is there while something is waited for.
    void show_waiting() {
        const std::string now = options_.waits ? options_.waits->longest() : "";
        if (now == shown_waiting_) return;
        if (!now.empty()) {
            broker_->kv_put(options_.names, waiting_key, now);
        } else if (broker_->kv_get(options_.names, waiting_key)) {
            broker_->kv_delete(options_.names, waiting_key);
        }
        shown_waiting_ = now;
    }

    // Listing a bucket's keys costs the server a consumer; looking one up costs it little.
    // None while one of them cannot be read: nothing is trimmed then.
    std::vector<WorkerEntry> registered(Clock::time_point now) {
        std::vector<std::string> unreadable;
        const bool lists = now >= next_list_;
        auto workers = lists ? registry_.list(&unreadable) : registry_.list(names_, &unreadable);
        if (lists) {
            next_list_ = now + list_rhythm;
            names_ = unreadable;
            for (const auto& worker : workers) names_.push_back(worker.name);
        }
        if (unreadable != said_.unreadable) tell_unreadable(unreadable);
        said_.unreadable = unreadable;
        return unreadable.empty() ? workers : std::vector<WorkerEntry>{};
    }

    void tell_unreadable(const std::vector<std::string>& names) {
        const Names& group = options_.names;
        if (names.empty()) log_(LogLevel::info, "the entries of all workers can be read again; trimming continues");
        for (const auto& name : names) {
            log_(LogLevel::warning,
                 fmt::format("nothing is trimmed: the entry of worker '{0}' in KV bucket '{1}' cannot be read, so what "
                             "it needs is not known; remove it with pgsluice forget --group {2} --worker-name {0}",
                             name, group.bucket, group.group));
        }
    }

    // Up to where all workers durably have what was committed; asked for with --confirm applied only.
    Lsn applied_by(const std::vector<WorkerEntry>& workers) {
        const WorkerEntry* last = slowest(workers);
        if (options_.confirm != ConfirmMode::applied || last == nullptr || needed_from(*last).value <= 1) return {};
        const auto before = broker_->message_at_or_before(options_.names.stream, {needed_from(*last).value - 1});
        return before ? before->meta.safe_flush_lsn : Lsn{};
    }

    // A message finds no room, nothing is trimmed or applied, and no transaction ends between what the slowest worker
    // needs and the end.
    bool holds_one_transaction(const StreamState& stream, const std::vector<WorkerEntry>& workers) {
        const WorkerEntry* last_worker = slowest(workers);
        if (!refused_ || stream.max_bytes <= 0 || last_worker == nullptr ||
            needed_from(*last_worker) != stream.first_seq)
            return false;
        const auto first = broker_->message_at(options_.names.stream, stream.first_seq);
        const auto last = broker_->last_message(options_.names.stream);
        return first && last && last->meta.kind == MessageKind::changes &&
               first->meta.safe_flush_lsn == last->meta.safe_flush_lsn && first->meta.position.commit != Lsn{} &&
               stream.last_seq > stream.first_seq;
    }

    void tell_full(const StreamState& stream, const std::vector<WorkerEntry>& workers) {
        const WorkerEntry* last = slowest(workers);
        const auto whom = last == nullptr ? std::string("a first worker to be started")
                                          : fmt::format("worker '{}', which needs message {} and later", last->name,
                                                        needed_from(*last).value);
        log_(LogLevel::warning,
             fmt::format("stream '{}' holds {} of at most {} bytes (messages {} to {}): it waits for {}",
                         options_.names.stream, stream.bytes, stream.max_bytes, stream.first_seq.value,
                         stream.last_seq.value, whom));
    }

    void tell_room(const StreamState& stream) {
        said_.full_again = {};
        log_(LogLevel::info, fmt::format("stream '{}' has room again: it holds {} of at most {} bytes",
                                         options_.names.stream, stream.bytes, stream.max_bytes));
    }

    const ReplicatorOptions& options_;
    const Log& log_;
    HousekeepersTroubles& said_;
    std::atomic<std::uint64_t>& applied_;
    std::atomic<bool>& stuck_;
    std::atomic<bool>& loses_;
    std::atomic<bool>& copies_requested_;
    const std::atomic<bool>& refused_;
    int rounds_stuck_ = 0;
    std::unique_ptr<Broker> broker_;
    WorkerRegistry registry_;
    Retention retention_;
    std::optional<std::string> shown_waiting_;
    std::vector<std::string> names_;  // of the workers listed last
    Clock::time_point next_list_;
    Found found_;
};

}  // namespace

Housekeeper::Housekeeper(const ReplicatorOptions& options, Log log)
    : options_(options), log_(std::move(log)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

Housekeeper::~Housekeeper() { stream_refuses(false); }

void Housekeeper::check(Broker& broker) const {
    check();
    const auto stream = broker.stream_state(options_.names.stream);
    if (!stream || may_lose(*stream)) throw changed();
}

Error Housekeeper::changed() const {
    return retry_error(
        fmt::format("unable to continue with stream '{}': its settings were changed", options_.names.stream));
}

void Housekeeper::check() const {
    if (loses_) throw changed();
    if (!stuck_) return;
    throw stop_error(
        fmt::format(
            "unable to continue with stream '{}': one transaction is larger than the stream's limit of {} bytes",
            options_.names.stream, options_.stream.max_bytes),
        "Start the replicator with a larger --stream-max-bytes, above the size of the source's largest transaction.");
}

// A server that does not answer fails the replicator itself, too, and is reported there.
void Housekeeper::run(const std::stop_token& stop) {
    do {
        try {
            look_after_stream(stop);
        } catch (const Interrupted&) {
            return;
        } catch (const std::exception& error) {
            const auto* known = dynamic_cast<const Error*>(&error);
            const bool others_see_it = known != nullptr && known->action() == Action::retry;
            if (!others_see_it) options_.activity->housekeeping.unmaintained = true;
            log_(others_see_it ? LogLevel::debug : LogLevel::warning,
                 fmt::format("unable to maintain the stream for now: {}", error.what()));
        }
    } while (pause(stop, 2 * busy_rhythm));
}

void Housekeeper::look_after_stream(const std::stop_token& stop) {
    Rounds rounds(options_, log_, applied_, stuck_, loses_, copies_requested_, refused_, stop);
    QuietRhythm next(busy_rhythm, quiet_rhythm, quiet_after);
    bool moved = true;
    do {
        moved = rounds.go_round() || moved;
        if (std::exchange(options_.activity->housekeeping.unmaintained, false))
            log_(LogLevel::info, "the stream is maintained again");
    } while (rest(next.next(std::exchange(moved, false), Clock::now()), stop, moved));
}

void Housekeeper::stream_refuses(bool refuses) noexcept {
    options_.activity->stream_full = refuses;
    options_.metrics->full.set(refuses);
    if (refused_.exchange(refuses) != refuses) look_soon();
}

void Housekeeper::confirmed(Lsn lsn) noexcept {
    if (std::exchange(confirmed_, lsn) != lsn) look_soon();
}

void Housekeeper::look_soon() noexcept {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(quiet_, false)) return;
    wake_.notify_one();
}

// False when a stop is requested. `woken`: something has begun to move.
bool Housekeeper::rest(std::chrono::milliseconds time, const std::stop_token& stop, bool& woken) {
    std::unique_lock lock(mutex_);
    quiet_ = time > busy_rhythm;
    woken = wake_.wait_for(lock, stop, time, [this, time] { return time > busy_rhythm && !quiet_; });
    quiet_ = false;
    return !stop.stop_requested();
}

}  // namespace pgsluice
