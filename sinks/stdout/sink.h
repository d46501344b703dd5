// Lines of JSON on standard output.
//
// Guarantee: at least once, in commit order. After a crash the lines since the last checkpoint come again, with the
// same LSN and Ordinal. The position is kept in a checkpoint file where one is named, else by the worker in KV.
#pragma once

#include <memory>
#include <stop_token>

#include "sinks/options.h"
#include "sinks/sink.h"
#include "stream/base/log.h"

namespace pgsluice {

std::unique_ptr<Sink> make_stdout_sink(const StdoutSinkOptions& options, Log log, std::stop_token stop);

}  // namespace pgsluice
