// How a worker finds its place among the shares of its name (--share), before it reads.
//
//   the group's KV bucket has                         outcome
//   ------------------------------------------------  ---------------------------------------------------------------
//   workers of this set of shares only, or none       continue; the first one registers all of the set, so that the
//                                                     stream is kept for those that are not started yet
//   workers of one other set, none of them running    take over: fence and read them, register all of this set with
//                                                     where each begins, remove them
//   the same, and some run                            a retry Error: they must be stopped first
//   both, those of the other set fenced               another start was cut off in the middle: finish it
//   both, those of this set fenced                    a stop Error: this set is being replaced by the other
//   several other sets, or another kind of sink       a stop Error
//
// A worker without a share is the set of one.
#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "sinks/sink.h"
#include "stream/base/log.h"
#include "stream/group/registry.h"
#include "worker/options.h"

namespace pgsluice {

enum class ShareStart { join, take_over };
// Pure; `family` are all workers of the name. A stop Error for the rows of the table that say so.
ShareStart decide_share_start(const std::string& worker, const std::string& sink, const std::string& group,
                              const std::vector<WorkerEntry>& family);

// Does that, after the sink's open() and before its state is recalled. A retry Error while workers of another set run.
void enter_share(const WorkerOptions& options, Broker& broker, WorkerRegistry& registry, Sink& sink, const Log& log,
                 const std::stop_token& stop);

// Where the sink begins: what it remembers, or what was handed over to it and it has not begun yet. A stop Error when
// it remembers something of an earlier set of shares; a retry Error when it has just been made to forget that.
std::optional<SinkState> begin_of_share(const WorkerOptions& options, const std::optional<WorkerEntry>& own, Sink& sink,
                                        const std::optional<SinkState>& state);

}  // namespace pgsluice
