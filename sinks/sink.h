// The contract between a worker and where its changes go. A new sink can be written from this header alone.
//
// Life. The worker makes the sink, calls open() before it touches NATS (and resume() after it, where the sink's state
// is in KV), then, in stream order,
//     begin_snapshot (copy | apply)* end_snapshot    and    apply*
// with flush() in between, and at last close(). One session of a worker is one sink object; a new session gets a new
// one.
//
// Batches. apply() is handed changes in commit order, after the rules. A batch holds whole transactions, unless it is
// not `complete`: then the last transaction continues in the next batch, and neither it nor `upto` may be counted as
// applied until a complete batch has come. A batch without changes still moves `upto`. Views in a batch die with the
// call; what a sink keeps, it copies. A relation that was handed over lives, at its address, as long as the session:
// whoever calls a sink sees to that, and so what is compiled for a relation may be kept under its address
// (stream/per_relation.h).
//
// Durability. apply() may buffer. durable() says how far everything has reached whatever the sink calls durable: a
// commit on the target, an fsync, a 2xx, an ack. The stream may be trimmed up to there, so it must never say more than
// would survive a crash of this machine, and it must follow within seconds of flush().
//
// Exactly once. After a crash the worker continues from what open() returns, and changes after that come again. So
// either a batch's effects and its checkpoint become durable together (postgres), or open() cuts off what follows the
// checkpoint (file). A sink that can do neither (stdout, webhook, nats) repeats changes; each repeat carries the
// same position, which is unique per change (event_key.h).
//
// Errors. Any call may throw. A retry Error says that the same may succeed later: the worker destroys the sink, waits,
// and starts a new session; a sink that can wait by itself for its other end (webhook) does, looking at the stop token.
// A stop Error says that an operator has to act. After a throw only the destructor runs, and it must leave nothing that
// open() could not recognise and undo. No message holds a row's value.
//
// Waiting. A call may wait for its other end (a receiver that is down, a reader that is slow) as long as it takes, and
// meanwhile calls what while_waiting() gave it several times a second: so the worker keeps reporting where it is and
// does not look dead.
//
// Shutdown. A worker that is asked to stop applies what the stream held then, and calls close(); the sink hears nothing
// of it. When the time for that (--drain-timeout) is over, the stop token given to the constructor fires: a call that
// waits throws Interrupted, after a grace (the options' stop_grace_ms) for what is under way; otherwise the worker
// calls close() as soon as the call returns.
//
// Threads. All calls come from one thread. A sink may use threads of its own and joins them in its destructor.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "sql/error.h"
#include "stream/batch.h"
#include "stream/message.h"

namespace pgsluice {

// What a sink remembers. Written together with the data it speaks of.
struct SinkState {
    Checkpoint checkpoint;
    // The epoch whose snapshot is being loaded and has not ended; 0 when none is.
    std::uint64_t loading_epoch = 0;
    // The sequence of that epoch's begin marker, as begin_snapshot() was told it: the worker reads the tables there.
    StreamSeq begin_seq;

    bool operator==(const SinkState&) const = default;
};

// Whether the copy that begins is the one that the sink is in the middle of; while it is, the checkpoint's position is
// the copy's. The epoch alone does not tell: a broker that lost its last messages lost the number, too, and the next
// copy gets it again.
[[nodiscard]] inline bool is_within(const SinkState& state, std::uint64_t epoch, Lsn consistent_point) {
    return state.loading_epoch == epoch && state.checkpoint.position.commit == consistent_point;
}
[[nodiscard]] inline bool is_within(const SinkState& state, const SnapshotBegin& begin) {
    return is_within(state, begin.epoch, begin.consistent_point);
}

// A stretch of rows of one table as COPY text (text format, default options), whole lines.
struct CopyBlock {
    const Relation* relation = nullptr;  // after rules and routing: the target's schema, table and column names
    std::string_view text;
    std::uint64_t rows = 0;
    StreamSeq first_seq;  // of the message it came from: identifies the block
    StreamSeq last_seq;
    std::uint64_t first_page = 0;  // of the source's page range: its rows lie, and are best loaded, side by side
    MessageOwner owner;            // keeps `text` alive; a sink that works on it later keeps a copy of the owner
    RelationPtr relation_owner;
    Position first_position;  // of the first row; each further row's ordinal is one more
};

// The reader of our output is gone (the other end of stdout's pipe is closed), so no more is wanted: the worker ends
// with exit 0, as after a signal, but calls neither apply() nor close() again. What durable() said before stays true.
struct OutputClosed : Interrupted {};

class Sink {
   public:
    virtual ~Sink() = default;

    // False: the sink has nowhere to remember its state (stdout without a checkpoint file, webhook, nats). open() then
    // returns nothing, and the worker keeps the state in the group's KV bucket: durable() as the checkpoint.
    [[nodiscard]] virtual bool keeps_state() const { return true; }

    // Takes the sink's lock (so that no second worker of the same name writes), repairs what a crash left, and says
    // how far it is. Nothing: this group was never here.
    virtual std::optional<SinkState> open() = 0;

    // Called after open() when keeps_state() is false and the worker found a state of this worker in KV: the sink
    // continues from there, and durable() begins with its checkpoint.
    virtual void resume(const SinkState& /*state*/) {}

    // Called after open(), once: the stream that is read from now on, as one word. A sink that
    // keeps its state writes it with every state from now on. False when what open() returned came from another stream.
    virtual bool reads(const std::string& /*stream*/) { return true; }

    // Called after open(), and between transactions when the stream says so again: whose changes are to come. Not
    // called when the stream no longer says.
    virtual void read_from(const GroupInfo& /*source*/) {}
    // Asked after open(): the database that the sink writes to, as database_id() (stream/origin.h). Transactions that
    // were first made there are not handed on, and batches are cut where Batch::made_in changes. Empty: it is none.
    virtual std::string home() { return ""; }

    // Notes that the worker takes of tables, by the source's oid, kept with the state and gone with it; called after
    // open(). Nothing: the sink has no place for them, and the worker keeps them in the group's KV bucket.
    virtual std::optional<std::map<Oid, std::string>> table_notes() { return std::nullopt; }
    // Keeps these notes, others stay. Rows that are handed on after this returns are never durable without them.
    virtual void note_tables(const std::map<Oid, std::string>& /*notes*/) {}

    // Asked after open(). Whether a snapshot replaces what the sink holds of its tables; false when it is told to keep
    // rows that are there.
    [[nodiscard]] virtual bool snapshot_replaces_rows() const { return true; }
    // Whether the options ask for that, and the last snapshot to begin did not do it.
    [[nodiscard]] virtual bool kept_rows_against_options() const { return false; }
    // Whether start_over() works: it is called before the first begin_snapshot(), which then throws away what the sink
    // holds of the snapshot and its tables, also where the snapshot is the one under way.
    [[nodiscard]] virtual bool takes_back() const { return false; }
    virtual void start_over() {}

    // Called before each begin_snapshot(): for tables of the copy, by their numbers, the other tables that fill the
    // same target and are not in the copy. Their rows must stay. Empty unless the copy is of tables that joined the
    // group, or that are copied again.
    virtual void shares_targets(const std::map<std::uint32_t, std::set<std::string>>& /*others*/) {}

    // Called before the first change: see Waiting above. `tell` may call durable() and nothing else of the sink, and
    // may throw; then the call that waited throws on.
    virtual void while_waiting(std::function<void()> /*tell*/) {}

    // An epoch starts. `upto.resume_seq` is the begin marker itself: remember it as SinkState::begin_seq. Called again
    // within the same copy (is_within() above), after a restart or for a later begin marker that repeats it: nothing is
    // to be thrown away then, only begin_seq moves (but see start_over()). If open() or an earlier
    // call named another copy being loaded, what that one loaded must be thrown away first. `tables` are after rules
    // and routing, in the order of the snapshot's table numbers; a table that is routed away or excluded is null.
    virtual void begin_snapshot(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables,
                                const Checkpoint& upto) = 0;
    // Whether copy() is implemented. If not, the worker parses the rows and hands them to apply() as changes with
    // `snapshot` set.
    [[nodiscard]] virtual bool takes_copy() const = 0;
    // Loads a block; may return before it is durable. Blocks after a restart may have been loaded already: the sink
    // knows by first_seq and must not load them twice.
    virtual void copy(const CopyBlock& block) = 0;
    // Returns when everything since begin_snapshot and `upto` are durable.
    virtual void end_snapshot(const SnapshotEnd& end, const Checkpoint& upto) = 0;

    // Applies a batch, or takes it over to be applied: see Batches and Durability above.
    virtual void apply(const Batch& batch) = 0;

    // Called when input has run dry and about once a second: write out what is buffered. May wait for the other end.
    virtual void flush() = 0;
    // The newest checkpoint that survives any crash. What the stream may be trimmed to. A default Checkpoint
    // (resume_seq 0) while there is none.
    [[nodiscard]] virtual Checkpoint durable() const = 0;
    // Flushes and ends orderly; an incomplete transaction is left out.
    virtual void close() = 0;
};

}  // namespace pgsluice
