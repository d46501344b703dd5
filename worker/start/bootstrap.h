// A worker of a group whose targets begin with a dump (stream/group/bootstrap_record.h).
#pragma once

#include <optional>
#include <stop_token>

#include "sinks/sink.h"
#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/group/bootstrap_record.h"
#include "worker/options.h"

namespace pgsluice {

// Whether the targets may not hold the dump yet.
bool is_under_way(const std::optional<BootstrapRecord>& record);
void await_bootstrap(const WorkerOptions& options, Broker& broker, const Log& log, const std::stop_token& stop);
// Once the worker is registered, which the replicator looks at after it has announced a bootstrap: a retry Error when
// one was announced since.
void check_not_bootstrapping(const WorkerOptions& options, Broker& broker);
// What a sink that remembers `state` has: where it remembers nothing, the dump. A stop Error when it remembers what was
// before the dump, or when nothing says that the target holds the dump.
std::optional<SinkState> with_dump(const std::optional<SinkState>& state, const std::optional<BootstrapRecord>& record,
                                   const WorkerOptions& options);

// A worker that begins at a dump with rules that hide: what loaded the dump may have applied none.
void warn_of_dump(const std::optional<BootstrapRecord>& record, Position from, const Log& log);

// At a dump marker: a worker that has applied what was before it, or nothing, must not read on; one that begins with
// the dump has that position already.
void check_has_dump(const WorkerOptions& options, Position marker, Position applied);

}  // namespace pgsluice
