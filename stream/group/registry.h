// Which workers read a group's stream and how far each is: one key `worker.<name>` per worker in the group's KV bucket
// (FORMAT.md, "Keys"). A copy of the sinks' checkpoints, for people, for trimming the stream, and for
// `--confirm applied`. The checkpoint in the sink is authoritative.
//
// A worker registers before it subscribes, and reads the stream's first sequence after that: what it needs is either
// kept for it, or found to be missing.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/broker.h"
#include "stream/names.h"
#include "stream/position.h"
#include "stream/share/handover.h"

namespace pgsluice {

struct WorkerEntry {
    std::string name;
    std::string sink;                 // the sink's kind
    Checkpoint applied;               // where it is
    Checkpoint durable;               // what survives any crash of its target; at most `applied`
    std::uint64_t loading_epoch = 0;  // the snapshot it is in the middle of; 0 when in none
    StreamSeq begin_seq;              // that snapshot's begin marker, which it must be able to read again
    std::int64_t registered_us = 0;   // microseconds since 2000-01-01 UTC
    std::int64_t reported_us = 0;
    std::string
        session;  // random, one per session: tells two workers of one name apart; empty once the session has ended
    std::string waiting;  // what it has waited for longer than ten seconds; empty: nothing
    // Missing in entries of older builds.
    std::optional<std::uint64_t> changes_per_second;  // lately, rows of snapshots included
    std::int64_t applying_us = 0;  // the source's commit time of what it is applying; 0: it has applied all it read
    std::string last_error;        // the newest that ended a session; empty: there was none
    std::int64_t last_error_us = 0;
    bool failed = false;  // the session has ended, with that error
    // Without a session: when it said last that it starts, or tries again after `last_error`; 0: it does not run.
    std::int64_t starting_us = 0;
    // Of a worker with a share (stream/share/), or one that takes over from such. registered_us is 0 until it is first
    // started.
    std::optional<Handover> handover;  // until it is beyond that
    bool retired = false;              // others are about to take over: it may not report any more

    // A worker reports every second, and says when it ends.
    static constexpr std::chrono::seconds counts_as_running{10};
    // It has a session, and has reported within that time.
    [[nodiscard]] bool runs(std::int64_t now_us, std::chrono::microseconds silence = counts_as_running) const {
        return !session.empty() && now_us - reported_us <= silence.count();
    }
    // Between two sessions, and about to begin the next.
    [[nodiscard]] bool starts() const { return session.empty() && starting_us != 0; }

    bool operator==(const WorkerEntry&) const = default;
};

std::string encode(const WorkerEntry& entry);
// A stop Error when it is malformed.
WorkerEntry decode_worker(std::string_view name, std::string_view json);

// The first message of the stream that the worker still needs.
StreamSeq needed_from(const WorkerEntry& worker);
// A message before this sequence is needed by no registered worker; nothing when no worker is registered: then
// everything is kept for the first one. `retained_from` is the first sequence younger than the time to retain; pass
// last_seq + 1 when space is needed.
std::optional<StreamSeq> keep_from(const std::vector<WorkerEntry>& workers, StreamSeq retained_from);
// The worker that needs the oldest message; null when there is none.
const WorkerEntry* slowest(const std::vector<WorkerEntry>& workers);

// One thread at a time.
class WorkerRegistry {
   public:
    WorkerRegistry(Broker& broker, Names names);

    // Sets the worker's key; fills in registered_us, reported_us and session. False when the broker cannot be reached
    // now: report again later. A retry Error when another running worker reports under this name.
    bool report(WorkerEntry entry);
    // Marks this session as ended, so that the next worker of the name need not wait; with the error that ended it, or
    // an empty text, and whether another one follows. Does nothing when the broker cannot be reached.
    void leave(const std::string& name, const std::string& error = {}, bool tries_again = false) noexcept;
    // Changes what the entry of a worker without a session says. Does nothing where there is none, where a session has
    // reported within `silence` or others take over, and where the entry changes meanwhile.
    void amend(const std::string& name, std::chrono::microseconds silence,
               const std::function<void(WorkerEntry&)>& change);
    // All, or these, by name. Where `unreadable` is given, the names of entries that are garbled are added to it
    // instead of a stop Error: what such a worker needs is not known.
    std::vector<WorkerEntry> list(std::vector<std::string>* unreadable = nullptr);
    std::vector<WorkerEntry> list(const std::vector<std::string>& names, std::vector<std::string>* unreadable);
    // A stop Error when the entry is garbled, with a hint.
    std::optional<WorkerEntry> find(const std::string& name);
    // The clock of the entries' times.
    static std::int64_t now_us();
    // The workers of this name without a share, and those with one; among them garbled ones, which throw.
    std::vector<WorkerEntry> family(const std::string& base);
    // Fences the worker: if it still runs, its next report fails. Nothing when it has reported since `entry` was read.
    bool retire(const WorkerEntry& entry);
    // Registers a worker that has not been started, unless it is there.
    void prepare(const WorkerEntry& entry);
    // The messages it still needed are no longer kept for it. False when it was not registered.
    bool remove(const std::string& name);

   private:
    struct Known {
        std::uint64_t revision = 0;
        std::int64_t registered_us = 0;
        bool ours = false;  // set by this process
        bool free = false;  // without a session
    };
    [[nodiscard]] WorkerEntry read(const std::string& name, std::string_view json) const;
    // What the bucket holds for the name.
    Known look(const std::string& name);
    std::vector<std::string> names();
    // Whether workers with other shares have taken its place.
    bool replaced(const std::string& name);

    Broker& broker_;
    Names names_;
    std::string session_;
    std::map<std::string, Known> known_;
};

}  // namespace pgsluice
