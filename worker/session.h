// One session of a worker: the loop from the stream to the sink.
#pragma once

#include <chrono>
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

// What a session tells the outside about once a second.
struct WorkerReport {
    SinkState durable;   // what the sink would remember after a crash now
    Checkpoint applied;  // what it was handed and has not refused
    Lsn applied_lsn;     // everything committed before it is applied
};

class Session {
   public:
    Session(const WorkerOptions& options, Ruleset& ruleset, Sink& sink, Consumer& consumer, const Checkpoint& from,
            const Log& log);

    // A snapshot that the sink is in the middle of, found again at its begin marker.
    void restore_snapshot(SnapshotBegin begin, StreamSeq marker);
    // Until the stop token fires or an exit_* option is met; applies what is complete and closes the sink.
    void run(const std::stop_token& stop, const std::function<void(const WorkerReport&)>& report);

   private:
    [[nodiscard]] int patience_ms() const;
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
    const std::vector<std::string> rule_tables_;
    Plans plans_;
    Batcher batcher_;
    SnapshotFeed snapshot_;
    Batch batch_;
    StreamSeq begin_seq_;
    Lsn taken_;    // confirmable of the last message taken
    Lsn applied_;  // the same, once the sink has it
    Checkpoint applied_upto_;
    bool snapshot_done_ = false;
    Fetcher fetcher_;  // last: it reads from the moment it is made
};

}  // namespace pgsluice
