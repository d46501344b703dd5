// Finds out what decide_worker_start() (start.h) decides by.
#pragma once

#include <optional>
#include <stop_token>

#include "stream/base/log.h"
#include "worker/options.h"
#include "worker/start/start.h"

namespace pgsluice {

// The group's stream. A worker may be started before its replicator, so this waits for it.
StreamState wait_for_stream(Broker& broker, const Names& names, const Log& log, const std::stop_token& stop);

// `sink` is what the sink remembers, `other_stream` whether it says that this comes from another stream. Waits while
// the worker cannot continue without a snapshot that was announced and has not begun.
WorkerFacts gather_facts(const WorkerOptions& options, Broker& broker, StreamState stream,
                         const std::optional<SinkState>& sink, bool state_only, bool other_stream, const Log& log,
                         const std::stop_token& stop);

// Fills in the newest snapshot and whether the stream holds it, where gather_facts() did not need to know.
void find_snapshot(WorkerFacts& facts, Broker& broker, const Names& names, const std::stop_token& stop);

}  // namespace pgsluice
