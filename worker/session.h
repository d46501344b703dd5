// One session of a worker: the loop from the stream to the sink.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>

#include "sinks/sink.h"
#include "sql/error.h"
#include "stream/base/quiet_rhythm.h"
#include "stream/metrics/stretch.h"
#include "worker/batch_tally.h"
#include "worker/batcher.h"
#include "worker/direct_snapshot.h"
#include "worker/fetcher.h"
#include "worker/hold.h"
#include "worker/options.h"
#include "worker/plans.h"
#include "worker/share/targets.h"
#include "worker/snapshot_feed.h"

namespace pgsluice {

// What a session reports about once a second.
struct WorkerReport {
    SinkState durable;             // what the sink would remember after a crash
    Checkpoint applied;            // what the sink has accepted
    Lsn applied_lsn;               // everything committed before it is applied
    std::uint64_t changes = 0;     // applied by this session, and rows of snapshots
    std::int64_t applying_us = 0;  // when the oldest that is not applied was committed; 0: it has applied all it read
};

// How a session starts: decided by run_worker() before it reads anything.
struct SessionStart {
    Checkpoint from;
    // `from` is a snapshot's begin marker, whatever the sink remembers. Until it has applied that marker, the sink's
    // state is not reported: the stream would be kept for it, or trimmed under this session.
    bool over = false;
    // The snapshot that the sink is still loading, where `from` is after its begin marker.
    struct Loading {
        SnapshotBegin begin;
        StreamSeq marker;
    };
    std::optional<Loading> loading;
    // The files were compared with all tables that are replicated, so those of a snapshot need not be.
    bool tables_checked = false;
    // exit_after_snapshot waits for this epoch or a later one.
    std::uint64_t awaited_epoch = 0;
    // Which DDL messages are the group's; all, unless set.
    std::function<bool(const Change&, StreamSeq)> ddl_allowed{};
    // Whose changes they are; nothing while the stream does not say yet.
    std::optional<GroupInfo> source{};
    // Null: all rows are handed on. Lives as long as the session.
    std::shared_ptr<ShareFilter> share{};
    // What the tables that are known fill. Null: shares are not by table.
    std::shared_ptr<SharedTargets> targets{};
    // The group began with a dump once, and has begun again since, otherwise.
    bool past_dumps = false;
    // What exit_after_snapshot waits for happened in an earlier session.
    bool snapshot_applied = false;
    // Loads snapshots whose rows are not in the stream. Outlives the session.
    DirectSnapshot* direct = nullptr;
};

// What a session asks others while it runs, and tells them.
struct SessionControl {
    std::function<void(const WorkerReport&)> report;  // about once a second, and at the end; not null
    // How compare is served; null: it is not. `see_compare` is called between messages, often while the session stands
    // still: it reads the request into `hold` and sends the answer.
    Hold* hold = nullptr;
    std::function<void(Position taken)> see_compare{};
    // What a session that is asked to stop still applies: what the stream held then, until `over` fires; unset, nothing
    // more. Asks for the end of the stream, and returns nothing when that is not known.
    std::function<std::optional<StreamSeq>()> last_message{};
    std::stop_token over{};
    // Whether the session is to end between two of the source's transactions, so that another starts with other rules;
    // unset, never.
    std::function<bool()> asked_to_give_way{};
};

class Session {
   public:
    enum class End : std::uint8_t { stopped, gave_way };

    Session(const WorkerOptions& options, Ruleset& ruleset, Delivered& delivered, Sink& sink, Consumer& consumer,
            SessionStart start, SessionControl control, const Log& log);

    // Until the stop token fires and the stream is drained, an exit_* option is met, or it gives way; applies what is
    // complete and closes the sink.
    End run(const std::stop_token& stop);

   private:
    [[nodiscard]] int patience_ms();
    [[nodiscard]] int idle_wait_ms();
    void flush_if_due();
    void report_if_due();
    void stand_if_asked();
    void stand();
    void reach_if_applied();
    void reach_before(Position next);
    void reach();
    void take(const Fetched& fetched);
    void take_changes(const Fetched& fetched);
    bool fill();
    // The message's body; a stop Error that says which message of the stream is not as it should be.
    template <typename Decode>
    auto decoded(const Message& message, Decode decode) const {
        try {
            return decode(message.body);
        } catch (const Error& error) {
            throw not_ours(message, error);
        }
    }
    [[nodiscard]] Error not_ours(const Message& message, const Error& error) const;
    void take_copy(const Message& message);
    void take_snapshot_begin(const Message& message);
    [[nodiscard]] bool passes_over(const SnapshotBegin& begin, const std::optional<DirectPlan>& plan);
    void load_directly();
    void log_begin(const SnapshotBegin& begin) const;
    void take_snapshot_end(const Message& message);
    void apply_pending();
    void apply();
    void hand_on(const Batch& batch);
    void idle();
    std::optional<Fetched> fetch();
    void show() const;
    void read_from(const GroupInfo& source);
    void tell_of_own();
    [[nodiscard]] bool finished() const;
    bool stopped();
    bool gives_way();
    void say_waiting_for_end();
    [[nodiscard]] bool drained();
    void read_on();
    void say_left() const;
    [[nodiscard]] WorkerReport state() const;

    const WorkerOptions& options_;
    Sink& sink_;
    const Log& log_;
    const SessionStart start_;
    const SessionControl control_;
    std::vector<std::string> unchecked_tables_;  // named in the files
    WorkerMetrics& metrics_;
    Stretch waits_for_stream_{metrics_.waiting_for_stream};
    BatchTally tally_;
    Plans plans_;
    Batcher batcher_;
    SnapshotFeed snapshot_;
    StreamSeq begin_seq_;
    std::stop_token stop_;
    std::optional<StreamSeq> drain_to_;  // once we are asked to stop, if it is known
    bool asked_end_ = false;
    bool left_within_ = false;  // a message was taken in part
    bool gave_way_ = false;
    std::optional<std::chrono::steady_clock::time_point> asked_at_;  // and it could not yet
    bool said_waiting_ = false;
    bool within_transaction_ = false;  // the sink has a piece of one, and not its end
    StreamSeq taken_seq_;              // of the last message taken
    Lsn taken_;                        // safe_flush_lsn of the last message taken
    Lsn applied_;                      // the same, once the sink has it
    Checkpoint applied_upto_;
    bool snapshot_done_;
    bool took_ = false;  // a message, since it waited last
    bool busy_ = false;  // the stream had changes for us when we asked last, or the sink has some now
    std::uint64_t changes_ = 0;
    std::chrono::steady_clock::time_point next_report_{};
    std::chrono::steady_clock::time_point next_flush_{};  // separate: a sink that waits in apply() still reports
    bool told_of_own_ = false;
    // What is reported until the sink has taken over a new epoch: neither the old one's state nor yet the new one's.
    std::optional<WorkerReport> before_epoch_;
    QuietRhythm rhythm_;
    Fetcher fetcher_;  // last: it starts reading when it is constructed
};

}  // namespace pgsluice
