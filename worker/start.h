// Where a worker begins to read: decided from what the sink remembers and what the stream holds.
//
//   the sink remembers      the stream                                    outcome
//   ----------------------  --------------------------------------------  ------------------------------------------
//   nothing                 begins at 1 (or never had a message)          read from 1
//   nothing                 begins above 1 (trimmed)                      error: a new worker missed what was trimmed
//   resume_seq              last_seq + 1 < resume_seq                     error: the stream went back or was re-created
//   resume_seq              first_seq > resume_seq                        error: unapplied messages were removed
//   resume_seq              the message before resume_seq has a position  error: not the stream the sink was fed from
//                           above the sink's
//   resume_seq              otherwise                                     read from resume_seq
#pragma once

#include <optional>
#include <string>

#include "sinks/sink.h"
#include "stream/broker.h"

namespace pgsluice {

struct WorkerFacts {
    std::string stream;  // its name, for messages
    std::string worker;
    std::optional<SinkState> sink;
    StreamState state;
    // Position in the headers of the message just before resume_seq, where there is one.
    std::optional<Position> before;
};

// Throws a stop Error for the rows of the table that say so.
Checkpoint decide_start(const WorkerFacts& facts);

}  // namespace pgsluice
