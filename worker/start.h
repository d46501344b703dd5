// Where a worker begins to read: decided from what the sink remembers and what the stream holds.
//
//   the sink remembers      the stream                                    outcome
//   ----------------------  --------------------------------------------  ------------------------------------------
//   nothing                 begins at 1 (or never had a message)          read from 1
//   nothing                 begins above 1 (trimmed)                      a new worker missed what was trimmed: (a)
//   resume_seq              last_seq + 1 < resume_seq                     the stream went back or was re-created: (b)
//   resume_seq              first_seq > resume_seq, or > the begin        messages it needs were removed: (a)
//                           marker of the copy the sink is in
//   resume_seq              where the copy that the sink is in began,     that copy was lost: (a)
//                           another one begins, or none
//   resume_seq              the message before resume_seq has a position  not the stream the sink was fed from: (b)
//                           above the sink's
//   resume_seq              is not the stream the sink was fed from (it   (c)
//                           was re-created since)
//   resume_seq              otherwise                                     read from resume_seq
//
// (a) The stream holds the newest copy from its begin marker on: start over there, for a copy holds all there is.
//     Otherwise an error.
// (b) The same, if that copy's epoch is above 1 (it always is after --resnapshot: somebody wants to start over) and it
//     is younger than what the sink has. The stream of a namesake elsewhere should not fill the sink.
// (c) The same, if that copy's epoch is above 1.
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
    std::optional<SnapshotStart> copy;  // the newest one begun; looked for where needs_copy(), or to exit behind it
    bool other_copy = false;            // the copy the sink is in does not begin where it did
    bool other_stream = false;          // the sink says that its state comes from another stream of this name
    bool copy_held = false;             // its begin marker is in the stream
    std::uint64_t announced_epoch = 0;  // above copy->epoch: that of a copy that is about to begin
};

struct WorkerStart {
    Checkpoint from;
    bool over = false;  // at a copy's begin marker, whatever the sink remembers

    bool operator==(const WorkerStart&) const = default;
};

// Throws a stop Error for the rows of the table that say so.
WorkerStart decide_worker_start(const WorkerFacts& facts);
// Rows (a) and (b): whether the sink cannot go on without a copy to start over with.
bool needs_copy(WorkerFacts facts);
// Of the newest copy that has begun or is about to; 0 when there is none.
std::uint64_t newest_epoch(const WorkerFacts& facts);
// Whether the sink has applied all of that copy.
bool has_newest_copy(const WorkerFacts& facts);

}  // namespace pgsluice
