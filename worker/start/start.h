// Where a worker starts reading: decided from what the sink remembers and what the stream holds.
//
//   the sink remembers      the stream                                    outcome
//   ----------------------  --------------------------------------------  ------------------------------------------
//   nothing                 begins at 1 (or never had a message)          read from 1; a sink that holds a state: (d)
//   0/0: applied nothing    the same                                      the same
//   nothing                 begins above 1 (trimmed)                      a new worker missed what was trimmed: (a)
//   resume_seq              last_seq + 1 < resume_seq                     the stream went back or was re-created: (b)
//   resume_seq              first_seq > resume_seq, or > the begin        messages it needs were removed: (a)
//                           marker of the snapshot it is loading
//   resume_seq              another snapshot, or none, begins where       that snapshot was lost: (a)
//                           the one it is loading began, however long
//                           the stream is
//   resume_seq              the message before resume_seq has a position  not the stream the sink has read from: (b)
//                           above the sink's
//   resume_seq              is not the stream the sink has read from (it  (c)
//                           was re-created since)
//   resume_seq              otherwise                                     read from resume_seq
//
// (a) If the stream holds the newest snapshot from its begin marker on, start over there: a snapshot has all the rows.
//     Otherwise an error.
// (b) The same, if that snapshot's epoch is above 1 (it always is after --resnapshot, when the user wants to start
// over)
//     and it is later than what the sink has. A stream of the same name elsewhere must not fill the sink.
// (c) The same, if that snapshot's epoch is above 1.
// (d) The same, if the stream holds that snapshot and its epoch is above 1: what came before it would be replaced, and
//     it may be what --resnapshot was to get past.
//
// Before an error of (a) to (c) the worker waits while a newer snapshot is announced that has not begun: creating its
// slot takes as long as the source's open transactions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sinks/sink.h"
#include "stream/broker.h"
#include "stream/group/snapshot_start.h"

namespace pgsluice {

struct WorkerFacts {
    std::string stream;  // its name, for messages
    std::string worker;
    std::optional<SinkState> sink;
    StreamState state;
    // Position in the headers of the message just before resume_seq, where there is one.
    std::optional<Position> before;
    // The newest one; read where needs_snapshot(), or to exit after it.
    std::optional<SnapshotStart> snapshot;
    bool state_only = false;            // the sink holds a state and not what led to it: a database
    bool other_snapshot = false;        // the snapshot that the sink is loading does not begin where it did
    bool other_stream = false;          // the sink says that its state comes from another stream of this name
    bool snapshot_held = false;         // its begin marker is in the stream
    std::uint64_t announced_epoch = 0;  // above snapshot->epoch: one that is about to begin
    StreamSeq delivered_before;         // of its rows, other shares have had some: all that is before this at most
};

struct WorkerStart {
    Checkpoint from;
    bool over = false;  // at a snapshot's begin marker, whatever the sink remembers

    bool operator==(const WorkerStart&) const = default;
};

// Throws a stop Error for the rows of the table that say so.
WorkerStart decide_worker_start(const WorkerFacts& facts);
// Rows (a) to (c): whether the sink cannot continue without a snapshot to start over with.
bool needs_snapshot(WorkerFacts facts);
// Whether the sink cannot continue with what there is, but a snapshot was announced that has not begun.
bool awaits_snapshot(const WorkerFacts& facts);
// Whether the newest snapshot will do: the sink holds a state, and nothing has been applied to it. Row (d).
bool may_start_with_newest(const WorkerFacts& facts);
// Of the newest snapshot that has begun or is about to; 0 when there is none.
std::uint64_t newest_epoch(const WorkerFacts& facts);
// Whether the sink has applied all of that snapshot.
bool has_newest_snapshot(const WorkerFacts& facts);

}  // namespace pgsluice
