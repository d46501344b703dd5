// All sinks. A new one is one line here and one in the table of commands (cmd/cli/flag.cc).
#pragma once

#include <memory>
#include <stop_token>

#include "cmd/cli/flag.h"
#include "cmd/cli/settings.h"
#include "sinks/ddl/ddl_decisions.h"
#include "sinks/dead_letters.h"
#include "sinks/sink.h"
#include "stream/base/log.h"

namespace pgsluice {

// `dead_letters` and `decisions` outlive the sink.
using MakeSink = std::unique_ptr<Sink> (*)(const Settings& settings, DeadLetters& dead_letters, DdlDecisions& decisions,
                                           const Log& log, std::stop_token stop);

// Null for a command that is neither a worker nor an import.
MakeSink find_sink(Command command);

}  // namespace pgsluice
