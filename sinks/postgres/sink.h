// The sink that writes into another PostgreSQL.
//
// Whole source transactions, in commit order, possibly several in one target transaction, together with the progress in
// pgsluice.progress: after any crash both are there or neither.
#pragma once

#include <memory>
#include <stop_token>

#include "sinks/ddl/ddl_decisions.h"
#include "sinks/dead_letters.h"
#include "sinks/options.h"
#include "sinks/sink.h"
#include "stream/base/log.h"

namespace pgsluice {

// `decisions` may be null: then a command that stops the worker stops it each time. `dead_letters` may be null when
// options.on_error is `stop`; it must outlive the sink.
std::unique_ptr<Sink> make_postgres_sink(const PostgresSinkOptions& options, const Log& log, std::stop_token stop,
                                         DeadLetters* dead_letters = nullptr, DdlDecisions* decisions = nullptr);

}  // namespace pgsluice
