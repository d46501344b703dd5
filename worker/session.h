// One session of a worker: the loop from the stream to the sink.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>

#include "sinks/sink.h"
#include "worker/batcher.h"
#include "worker/fetcher.h"
#include "worker/options.h"
#include "worker/plans.h"
#include "worker/snapshot_feed.h"

namespace pgsluice {

// What a session reports about once a second.
struct WorkerReport {
    SinkState durable;   // what the sink would remember after a crash
    Checkpoint applied;  // what the sink has accepted
    Lsn applied_lsn;     // everything committed before it is applied
};

class Session {
   public:
    Session(const WorkerOptions& options, Ruleset& ruleset, Sink& sink, Consumer& consumer, const Checkpoint& from,
            const Log& log);

    // A snapshot that the sink is still loading, with its begin marker.
    void restore_snapshot(SnapshotBegin begin, StreamSeq marker);
    // `from` is a copy's begin marker, whatever the sink remembers: what that is must not be told to anybody, or the
    // stream is kept for it and trimmed under this session.
    void starts_over() noexcept { before_epoch_ = WorkerReport{{applied_upto_, 0, {}}, applied_upto_, {}}; }
    // The files were compared with all that is replicated: a copy need not be.
    void tables_were_checked() noexcept { rule_tables_.clear(); }
    // What exit_after_snapshot waits for happened in an earlier session.
    void snapshot_was_applied() noexcept { snapshot_done_ = true; }
    // exit_after_snapshot waits for this epoch or a later one; without this call, for any.
    void wait_for_snapshot(std::uint64_t epoch) noexcept { awaited_epoch_ = epoch; }
    // Until the stop token fires or an exit_* option is met; applies what is complete and closes the sink.
    void run(const std::stop_token& stop, const std::function<void(const WorkerReport&)>& report);

   private:
    [[nodiscard]] int patience_ms() const;
    void flush_if_due();
    void tell_if_due();
    [[nodiscard]] WorkerReport told() const;
    void take(const Fetched& fetched);
    void take_changes(const Fetched& fetched);
    void take_snapshot_begin(const Message& message);
    void tell_begin(const SnapshotBegin& begin) const;
    void take_snapshot_end(const Message& message);
    Checkpoint pass(const Message& message);
    void apply_pending();
    void apply();
    void idle();
    [[nodiscard]] bool finished() const;
    [[nodiscard]] WorkerReport report() const;

    const WorkerOptions& options_;
    Sink& sink_;
    const Log& log_;
    std::vector<std::string> rule_tables_;
    Plans plans_;
    Batcher batcher_;
    SnapshotFeed snapshot_;
    Batch batch_;
    StreamSeq begin_seq_;
    Lsn taken_;    // safe_flush_lsn of the last message taken
    Lsn applied_;  // the same, once the sink has it
    Checkpoint applied_upto_;
    bool snapshot_done_ = false;
    std::uint64_t awaited_epoch_ = 0;
    std::function<void(const WorkerReport&)> tell_;
    std::chrono::steady_clock::time_point next_report_{};
    std::chrono::steady_clock::time_point next_flush_{};  // separate: a sink that waits in apply() still reports
    // What is told until the sink has taken over a new epoch: neither the old one's state nor yet the new one's.
    std::optional<WorkerReport> before_epoch_;
    Fetcher fetcher_;  // last: it starts reading when it is constructed
};

}  // namespace pgsluice
