// Which workers read a group's stream and how far each is: one key `worker.<name>` per worker in the group's KV bucket
// (FORMAT.md, "Keys"). A copy of what the workers' sinks remember, for people, for trimming the stream, and for
// `--confirm applied`. The truth is in the sinks.
//
// A worker registers before it subscribes, and looks at the stream's first sequence after that: so what it needs is
// either kept for it, or found missing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/broker.h"
#include "stream/names.h"
#include "stream/position.h"

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
    std::string session;  // made up anew by every session: tells two workers of one name apart; empty once it has ended

    bool operator==(const WorkerEntry&) const = default;
};

std::string encode(const WorkerEntry& entry);
// A stop Error when it is not one.
WorkerEntry decode_worker(std::string_view name, std::string_view json);

// The first message of the stream that the worker still needs.
StreamSeq needed_from(const WorkerEntry& worker);
// A message before this sequence is needed by no registered worker; nothing when no worker is registered, for then
// all is kept for the first one. `retained_from` is the first sequence younger than the time to retain; pass last_seq +
// 1 when space is needed.
std::optional<StreamSeq> keep_from(const std::vector<WorkerEntry>& workers, StreamSeq retained_from);
// The worker that needs the oldest message; null when there is none.
const WorkerEntry* slowest(const std::vector<WorkerEntry>& workers);

// One thread at a time.
class WorkerRegistry {
   public:
    WorkerRegistry(Broker& broker, Names names);

    // Sets the worker's key; registered_us, reported_us and session are filled in here. False when the broker cannot be
    // reached now: report again later. A retry Error when another running worker reports under this name.
    bool report(WorkerEntry entry);
    // This session reports no more: the next worker of the name need not wait and see. Does nothing where that cannot
    // be told now.
    void leave(const std::string& name) noexcept;
    // By name.
    std::vector<WorkerEntry> list();
    std::optional<WorkerEntry> find(const std::string& name);
    // The clock that entries are written by.
    static std::int64_t now_us();
    // What it still needed is not kept for it any more. False when it was not registered.
    bool remove(const std::string& name);

   private:
    struct Known {
        std::uint64_t revision = 0;
        std::int64_t registered_us = 0;
        bool ours = false;  // set by this process
    };
    // What the bucket holds for the name.
    Known look(const std::string& name);

    Broker& broker_;
    Names names_;
    std::string session_;
    std::map<std::string, Known> known_;
};

}  // namespace pgsluice
