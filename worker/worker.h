// Runs sessions from JetStream to a sink; the loop itself is session.h.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "sinks/sink.h"
#include "stream/base/log.h"
#include "worker/drain.h"
#include "worker/options.h"
#include "worker/rules/in_force.h"

namespace pgsluice {

// Makes the sink of a session; called again after a retry Error.
using SinkFactory = std::function<std::unique_ptr<Sink>(std::stop_token stop)>;

// Sessions from the sink's checkpoint on, one after another as the rules in force change. Each opens the sink, connects
// to NATS, waits for the group's stream, then reads, decodes, applies the rules and hands batches to the sink. Rules
// that no session can start with are refused in the log, and the ones before stay in force. Returns when a stop is
// requested and the stream is drained (what is complete is applied) or when an exit_* option says so. Throws Error; the
// supervise loop calls it again after a retry Error. `running` is called once reading has begun.
void run_worker(const WorkerOptions& options, RulesInForce& rules, const SinkFactory& make_sink, const Log& log,
                const std::function<void()>& running, Drain& drain);

}  // namespace pgsluice
